package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import moxin.job.Progress;
import moxin.train.Learner;
import moxin.train.loader.Loader;
import moxin.train.loader.Prefetch;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Samples;
import moxin.train.recipe.SpikeAction;
import moxin.train.recipe.TaskEvaluation;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.recipe.Validation;

/// The loop over phases and steps.
final class Trainer {
  private final Surroundings around;
  private final Plan plan;
  private final TrainingRecipe recipe;
  private final Learner learner;
  private final ModelInTraining model;
  private final RunRecord record;
  private final CheckpointWriter checkpoints;
  private final Optional<Evaluator> evaluator;
  private final Watchdog watchdog;
  private final StepJudge judge;
  private final DivergenceWatch trends;
  private final long seed;
  private final Position position = new Position();

  Trainer(
      Surroundings around,
      Plan plan,
      Learner learner,
      RunRecord record,
      CheckpointWriter checkpoints,
      Optional<Evaluator> evaluator,
      Watchdog watchdog) {
    this.around = around;
    this.plan = plan;
    this.recipe = plan.recipe();
    this.learner = learner;
    this.model = new ModelInTraining(recipe, learner);
    this.record = record;
    this.checkpoints = checkpoints;
    this.evaluator = evaluator;
    this.watchdog = watchdog;
    this.judge = new StepJudge(recipe);
    this.trends = new DivergenceWatch(recipe.monitoring().divergence());
    this.seed = around.job().recipe().seed();
  }

  TrainingResult run(Optional<CheckpointStore.Found> found)
      throws IOException, InterruptedException {
    int firstPhase = 0;
    if (found.isPresent()) {
      TrainerState state = found.get().state();
      position.restore(state, found.get().path());
      restoreWatches(state);
      firstPhase = state.phaseIndex();
      around
          .progress()
          .note("Resumes after step " + position.step + " from " + position.checkpoint);
    }
    for (Plan.Planned planned : plan.phases().subList(firstPhase, plan.phases().size())) {
      if (position.step < end(planned)) {
        runPhase(planned);
      }
      position.loader = null;
      judge.clear();
      trends.clear();
    }
    checkpoints.await();
    announce();
    if (position.checkpoint == null) {
      throw new IllegalStateException("the last step of a phase writes a checkpoint");
    }
    return new TrainingResult(
        position.checkpoint,
        position.step,
        position.tokens,
        Optional.ofNullable(position.lastValidation));
  }

  private static long end(Plan.Planned planned) {
    return planned.firstStep() + planned.steps();
  }

  private void runPhase(Plan.Planned planned) throws IOException, InterruptedException {
    Phase phase = planned.phase();
    around.observer().onPhase(phase, planned.steps());
    List<TokenSource> sources =
        Inputs.open(around.job(), phase.sources(), record.header().inputs().config().vocabSize());
    long total = planned.steps() * phase.tokensPerStep();
    try (Progress.Task task = around.progress().start("Train " + phase.name(), total, "tokens");
        Stepper stepper =
            new Stepper(plan, learner, judge, position, watchdog, around.job().peakFlops());
        Prefetch batches =
            new Prefetch(
                Loader.open(
                    phase, sources, planned.seed(seed), Optional.ofNullable(position.loader)))) {
      task.advanceBefore((position.step - planned.firstStep()) * phase.tokensPerStep());
      while (position.step < end(planned)) {
        long before = position.step;
        long firstRow = position.rowsRead();
        Step step = stepper.take(planned, batches);
        if (step.verdict().isPresent()) {
          answer(planned, step, sources, firstRow);
        }
        task.advance((position.step - before) * phase.tokensPerStep());
        if (position.step > before) {
          add(planned, step);
          task.status(statusOf(step.metrics()));
          afterStep(planned);
        }
      }
      PhaseMixture.of(planned, sources, seed, position.step, position.loader)
          .addTo(around.job().run());
    } finally {
      sources.forEach(TokenSource::close);
    }
  }

  private void add(Plan.Planned planned, Step step) throws IOException {
    record.add(step.metrics());
    if (step.statistics().isPresent()) {
      record.add(step.statistics().get());
    }
    around.observer().onStep(step.metrics());
    Double loss = step.metrics().loss();
    if (loss != null && step.verdict().isEmpty()) {
      warn(planned, trends.add(loss), loss);
    }
  }

  /// Does with a bad step what the recipe says, after it stands in the log of incidents.
  private void answer(Plan.Planned planned, Step step, List<TokenSource> sources, long firstRow)
      throws IOException, InterruptedException {
    StepJudge.Verdict verdict = step.verdict().orElseThrow();
    long rows = position.rowsRead() - firstRow;
    List<String> documents =
        around.documents().in(planned.phase(), sources, planned.seed(seed), firstRow, rows);
    SpikeAction action = actionOn(verdict);
    String name = action.name().toLowerCase(java.util.Locale.ROOT);
    meet(
        new Incident(
            position.step,
            planned.phase().name(),
            verdict.kind(),
            verdict.finding(),
            step.metrics().loss(),
            step.metrics().gradNorm(),
            name,
            action == SpikeAction.ROLLBACK ? position.regularStep : null,
            firstRow,
            rows,
            documents,
            Instant.now().toEpochMilli() / 1e3));
    switch (action) {
      case STOP -> throw failure(verdict);
      case SKIP -> position.skippedInRow++;
      case ROLLBACK -> rollBack(planned);
    }
  }

  /// What the recipe says, where that is possible and has not been done too often.
  private SpikeAction actionOn(StepJudge.Verdict verdict) {
    boolean returns = verdict.action() == SpikeAction.ROLLBACK && position.regularStep > 0;
    if (verdict.action() == SpikeAction.STOP) {
      return SpikeAction.STOP;
    }
    if (returns) {
      boolean mayAgain = position.rollbacks < judge.maxRollbacks();
      return mayAgain ? SpikeAction.ROLLBACK : SpikeAction.STOP;
    }
    return position.skippedInRow < recipe.maxSkippedSteps() ? SpikeAction.SKIP : SpikeAction.STOP;
  }

  private UnstableTrainingException failure(StepJudge.Verdict verdict) {
    StringBuilder line = new StringBuilder("step " + position.step + ": " + verdict.finding());
    if (verdict.action() == SpikeAction.STOP) {
      line.append("; the recipe says stop");
    } else if (position.rollbacks > 0) {
      line.append("; returned to step ").append(position.regularStep).append(' ');
      line.append(position.rollbacks).append(" times already");
    } else {
      line.append("; ").append(position.skippedInRow + 1).append(" steps in a row");
    }
    return verdict.kind().equals("nonFinite")
        ? new NonFiniteLossException(line.toString())
        : new SpikeException(line.toString());
  }

  private void meet(Incident incident) throws IOException {
    record.add(incident);
    position.incidents++;
    around
        .progress()
        .note("step " + incident.step() + ": " + incident.finding() + "; " + incident.action());
    around.observer().onIncident(incident);
  }

  private void warn(Plan.Planned planned, Optional<String> warning, double loss)
      throws IOException {
    if (warning.isPresent()) {
      meet(
          new Incident(
              position.step,
              planned.phase().name(),
              "divergence",
              warning.get(),
              loss,
              null,
              "warn",
              null,
              position.rowsRead(),
              0,
              List.of(),
              Instant.now().toEpochMilli() / 1e3));
    }
  }

  /// Returns to the last checkpoint that the recipe asks for. The loader stays where it is, so that
  /// the batches up to the spike are not read again.
  private void rollBack(Plan.Planned planned) throws IOException, InterruptedException {
    watchdog.pause();
    checkpoints.await();
    announce();
    CheckpointStore.Found found = record.checkpoint(position.regularStep);
    StoredLearner.load(found.path(), learner);
    position.returnTo(found.state(), found.path());
    judge.clear();
    trends.clear();
    if (found.state().phaseIndex() == planned.index()) {
      restoreWatches(found.state());
    }
    record.returnTo(position.step);
    watchdog.resume();
  }

  private void restoreWatches(TrainerState state) {
    judge.restore(Optional.ofNullable(state.spikes()));
    trends.restore(
        Optional.ofNullable(state.trend()).orElse(Trend.NONE),
        Optional.ofNullable(state.heldOutTrend()).orElse(Trend.NONE));
  }

  private void afterStep(Plan.Planned planned) throws IOException, InterruptedException {
    boolean last = position.step == end(planned);
    Validation validation = recipe.evaluation();
    if (validation != null && (last || due(validation.everySteps()))) {
      evaluate(planned);
    }
    if (validation != null && validation.tasks() != null && (last || due(validation.taskSteps()))) {
      askTasks(planned, validation.tasks());
    }
    Samples samples = recipe.samples();
    if (samples != null && (last || due(samples.everySteps()))) {
      sample(samples);
    }
    boolean regular = last || recipe.checkpoints().due(position.step);
    if (regular) {
      position.regularStep = position.step;
      position.rollbacks = 0;
      save(planned);
    }
    announce();
    if (around.stop().isRequested() && position.step < plan.steps()) {
      stop(planned, regular);
    }
  }

  private void stop(Plan.Planned planned, boolean saved) throws IOException, InterruptedException {
    if (!saved) {
      save(planned);
    }
    watchdog.pause();
    checkpoints.await();
    announce();
    throw new TrainingStoppedException(
        position.step, Optional.ofNullable(position.checkpoint).orElseThrow());
  }

  private boolean due(long everySteps) {
    return everySteps > 0 && position.step % everySteps == 0;
  }

  private void evaluate(Plan.Planned planned) throws IOException {
    if (evaluator.isPresent()) {
      ValidationPoint point =
          evaluator.get().measure(learner, planned.phase(), position.step, watchdog::beat);
      Double best = position.bestLoss;
      position.lastValidation = point;
      position.bestLoss = best == null ? point.loss() : Math.min(best, point.loss());
      record.add(point);
      around.observer().onEvaluation(point);
      warn(planned, trends.addHeldOut(point.loss()), point.loss());
    }
  }

  private void askTasks(Plan.Planned planned, TaskEvaluation tasks) throws IOException {
    TaskRunner runner = around.job().tasks().orElseThrow();
    watchdog.pause();
    for (TaskScores scores : model.use((config, weights) -> runner.run(config, weights, tasks))) {
      TaskPoint point =
          new TaskPoint(
              position.step,
              planned.phase().name(),
              scores.task(),
              scores.questions(),
              scores.metrics(),
              Instant.now().toEpochMilli() / 1e3);
      record.add(point);
      around.observer().onTask(point);
    }
    watchdog.resume();
  }

  private void sample(Samples samples) throws IOException {
    if (around.job().generator().isPresent()) {
      SampleGenerator generator = around.job().generator().get();
      watchdog.pause();
      List<String> texts =
          model.use((config, weights) -> generator.generate(config, weights, samples));
      for (int i = 0; i < texts.size(); i++) {
        SampleText text = new SampleText(position.step, samples.prompts().get(i), texts.get(i));
        record.add(text);
        around.observer().onSample(text);
      }
      watchdog.resume();
    }
  }

  private void save(Plan.Planned planned) throws IOException, InterruptedException {
    watchdog.pause();
    TrainerState state = position.state(planned, seed, record.header().identity(), judge, trends);
    checkpoints.save(state, learner);
    watchdog.resume();
  }

  /// Tells of the checkpoints that are complete since the last time.
  private void announce() throws IOException, InterruptedException {
    for (Path saved : checkpoints.completed()) {
      position.checkpoint = saved;
      around.observer().onCheckpoint(saved);
    }
  }

  private String statusOf(StepMetrics metrics) {
    ValidationPoint held = position.lastValidation;
    String loss =
        metrics.loss() == null ? "loss not finite" : "loss %.3f".formatted(metrics.loss());
    String both = held == null ? loss : loss + ", held-out %.3f".formatted(held.loss());
    return metrics.mfu() == null ? both : both + ", MFU %.1f %%".formatted(100 * metrics.mfu());
  }
}
