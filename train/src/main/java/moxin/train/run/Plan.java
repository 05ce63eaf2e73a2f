package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import moxin.job.BadInputException;
import moxin.train.loader.Loader;
import moxin.train.loader.RowSequence;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Schedule;
import moxin.train.recipe.TrainingRecipe;

/// The phases with their lengths in steps.
///
/// @param notes what a reader of the recipe may not expect, one line each
record Plan(TrainingRecipe recipe, List<Planned> phases, long steps, List<String> notes) {
  private static final double REPETITION_NOTED = 1.05;

  /// A phase within the run.
  ///
  /// @param firstStep steps of the run before it
  record Planned(Phase phase, int index, long firstStep, long steps) {

    /// The seed of the phase's shuffling in a run of `seed`.
    long seed(long seed) {
      return seed + 1_000_003L * index;
    }

    /// Rows of one step.
    long rowsPerStep() {
      return (long) phase.batchSize() * phase.accumulationSteps();
    }
  }

  /// As [#of(Map, TrainingRecipe, long, int)] for the sources and the seed of `job`.
  static Plan of(TrainingJob job, TrainingRecipe recipe, int vocabSize) throws IOException {
    return of(job.sources(), recipe, job.recipe().seed(), vocabSize);
  }

  /// Counts the steps; opens every source once, so that a missing shard of a later phase is found
  /// before the first step, and so is a phase whose sources do not last.
  ///
  /// @param named the shards behind the names of sources
  static Plan of(Map<String, Path> named, TrainingRecipe recipe, long seed, int vocabSize)
      throws IOException {
    List<Planned> planned = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    long first = 0;
    for (Phase phase : recipe.phases()) {
      List<TokenSource> sources = Inputs.open(named, phase.sources(), vocabSize);
      try {
        Planned wanted = new Planned(phase, planned.size(), first, stepsOf(phase, sources));
        Planned possible = withinSources(wanted, sources, seed, notes);
        planned.add(possible);
        first += possible.steps();
      } finally {
        sources.forEach(TokenSource::close);
      }
    }
    return new Plan(recipe, List.copyOf(planned), first, List.copyOf(notes));
  }

  /// The phase as far as its sources last.
  private static Planned withinSources(
      Planned wanted, List<TokenSource> sources, long seed, List<String> notes) {
    Phase phase = wanted.phase();
    RowSequence sequence = RowSequence.of(phase, sources, wanted.seed(seed));
    long steps = Math.min(wanted.steps(), sequence.available() / wanted.rowsPerStep());
    if (steps == 0) {
      throw new BadInputException(
          "phase "
              + phase.name()
              + ": its sources are exhausted after "
              + sequence.available()
              + " rows, a step has "
              + wanted.rowsPerStep());
    }
    if (steps < wanted.steps()) {
      notes.add(
          "phase %s ends after %d of %d steps, when its sources are exhausted"
              .formatted(phase.name(), steps, wanted.steps()));
    }
    for (RowSequence.Usage usage : sequence.usageAfter(steps * wanted.rowsPerStep())) {
      if (usage.passes() > REPETITION_NOTED) {
        notes.add(
            String.format(
                Locale.ROOT,
                "phase %s reads source %s %.2f times",
                phase.name(),
                usage.source(),
                usage.passes()));
      }
    }
    return new Planned(phase, wanted.index(), wanted.firstStep(), steps);
  }

  /// The phase of step `step` of the run, counted from 1.
  ///
  /// @throws BadInputException if the run has no such step
  Planned phaseOf(long step) {
    for (Planned planned : phases) {
      if (step > planned.firstStep() && step <= planned.firstStep() + planned.steps()) {
        return planned;
      }
    }
    throw new BadInputException("step " + step + ": the run has steps 1 to " + steps);
  }

  /// The learning rate of step `phaseStep` of a phase, from 0.
  double learningRate(Planned planned, long phaseStep) {
    double peak = recipe.peakOf(planned.phase());
    Schedule own = planned.phase().schedule();
    if (own != null) {
      return peak * own.factor(phaseStep, planned.steps());
    }
    Schedule whole = recipe.schedule() == null ? Schedule.defaults() : recipe.schedule();
    return peak * whole.factor(planned.firstStep() + phaseStep, steps);
  }

  /// The steps after which phases end.
  List<Long> ends() {
    return phases.stream().map(planned -> planned.firstStep() + planned.steps()).toList();
  }

  /// The steps of `phase` where its recipe alone says them.
  static OptionalLong stepsOf(Phase phase) {
    if (phase.steps() != null) {
      return OptionalLong.of(phase.steps());
    }
    return phase.tokens() == null
        ? OptionalLong.empty()
        : OptionalLong.of(Math.ceilDiv(phase.tokens(), phase.tokensPerStep()));
  }

  private static long stepsOf(Phase phase, List<TokenSource> sources) {
    OptionalLong known = stepsOf(phase);
    if (known.isPresent()) {
      return known.getAsLong();
    }
    double epochs = phase.epochs() == null ? 1 : phase.epochs();
    double rows = epochs * Loader.rowsPerEpoch(phase, sources);
    double rowsPerStep = (double) phase.batchSize() * phase.accumulationSteps();
    return Math.max(1, (long) Math.ceil(rows / rowsPerStep));
  }
}
