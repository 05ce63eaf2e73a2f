package moxin.train.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import moxin.train.loader.Loader;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Schedule;
import moxin.train.recipe.TrainingRecipe;

/// The phases with their lengths in steps.
record Plan(TrainingRecipe recipe, List<Planned> phases, long steps) {

  /// A phase within the run.
  ///
  /// @param firstStep steps of the run before it
  record Planned(Phase phase, int index, long firstStep, long steps) {}

  /// Counts the steps; opens every source once, so that a missing shard of a later phase is found
  /// before the first step.
  static Plan of(TrainingJob job, TrainingRecipe recipe, int vocabSize) throws IOException {
    List<Planned> planned = new ArrayList<>();
    long first = 0;
    for (Phase phase : recipe.phases()) {
      List<TokenSource> sources = Inputs.open(job, phase.sources(), vocabSize);
      long steps;
      try {
        steps = stepsOf(phase, sources);
      } finally {
        sources.forEach(TokenSource::close);
      }
      planned.add(new Planned(phase, planned.size(), first, steps));
      first += steps;
    }
    return new Plan(recipe, List.copyOf(planned), first);
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

  private static long stepsOf(Phase phase, List<TokenSource> sources) {
    if (phase.steps() != null) {
      return phase.steps();
    }
    if (phase.tokens() != null) {
      return Math.ceilDiv(phase.tokens(), phase.tokensPerStep());
    }
    double epochs = phase.epochs() == null ? 1 : phase.epochs();
    double rows = epochs * Loader.rowsPerEpoch(phase, sources);
    double rowsPerStep = (double) phase.batchSize() * phase.accumulationSteps();
    return Math.max(1, (long) Math.ceil(rows / rowsPerStep));
  }
}
