package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.ModelConfig;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.Learner;
import moxin.train.loader.Loader;
import moxin.train.loader.LoaderState;
import moxin.train.loader.Prefetch;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.NonFiniteLoss;
import moxin.train.recipe.Samples;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.recipe.Validation;
import org.jspecify.annotations.Nullable;

/// The loop over phases and steps.
final class Trainer {
  private final TrainingJob job;
  private final Plan plan;
  private final TrainingRecipe recipe;
  private final Learner learner;
  private final RunRecord record;
  private final Optional<Evaluator> evaluator;
  private final TrainingObserver observer;
  private final Progress progress;
  private final AdamW adamW;
  private final long seed;

  private long step;
  private long tokens;
  private double seconds;
  private int skippedInRow;
  private @Nullable LoaderState loaderState;
  private @Nullable Double bestLoss;
  private @Nullable ValidationPoint lastValidation;
  private @Nullable Path lastCheckpoint;

  Trainer(
      TrainingJob job,
      Plan plan,
      Learner learner,
      RunRecord record,
      Optional<Evaluator> evaluator,
      TrainingObserver observer,
      Progress progress) {
    this.job = job;
    this.plan = plan;
    this.recipe = plan.recipe();
    this.learner = learner;
    this.record = record;
    this.evaluator = evaluator;
    this.observer = observer;
    this.progress = progress;
    this.adamW = recipe.optimizer().adamW();
    this.seed = job.recipe().seed();
  }

  TrainingResult run(Optional<CheckpointStore.Found> found)
      throws IOException, InterruptedException {
    int firstPhase = 0;
    long firstStep = 0;
    if (found.isPresent()) {
      TrainerState state = found.get().state();
      step = state.step();
      tokens = state.tokens();
      seconds = state.seconds();
      skippedInRow = state.skippedInRow();
      bestLoss = state.bestLoss();
      lastValidation = state.lastValidation();
      lastCheckpoint = found.get().path();
      loaderState = state.loader();
      firstPhase = state.phaseIndex();
      firstStep = state.phaseStep();
      progress.note("Resumes after step " + step + " from " + lastCheckpoint);
    }
    for (Plan.Planned planned : plan.phases().subList(firstPhase, plan.phases().size())) {
      if (firstStep < planned.steps()) {
        runPhase(planned, firstStep);
      }
      firstStep = 0;
      loaderState = null;
    }
    if (lastCheckpoint == null) {
      throw new IllegalStateException("the last step of a phase writes a checkpoint");
    }
    return new TrainingResult(lastCheckpoint, step, tokens, Optional.ofNullable(lastValidation));
  }

  private void runPhase(Plan.Planned planned, long firstStep)
      throws IOException, InterruptedException {
    var phase = planned.phase();
    observer.onPhase(phase, planned.steps());
    long phaseSeed = planned.seed(seed);
    List<TokenSource> sources =
        Inputs.open(job, phase.sources(), record.header().inputs().config().vocabSize());
    long total = planned.steps() * phase.tokensPerStep();
    try (Progress.Task task = progress.start("Train " + phase.name(), total, "tokens");
        Prefetch batches =
            new Prefetch(
                Loader.open(phase, sources, phaseSeed, Optional.ofNullable(loaderState)))) {
      task.advance(firstStep * phase.tokensPerStep());
      for (long phaseStep = firstStep; phaseStep < planned.steps(); phaseStep++) {
        StepMetrics metrics = takeStep(planned, phaseStep, batches);
        record.add(metrics);
        observer.onStep(metrics);
        task.advance(phase.tokensPerStep());
        task.status(statusOf(metrics));
        afterStep(planned, phaseStep + 1);
      }
      PhaseMixture.of(planned, sources, seed, step, loaderState).addTo(job.run());
    } finally {
      sources.forEach(TokenSource::close);
    }
  }

  private StepMetrics takeStep(Plan.Planned planned, long phaseStep, Prefetch batches)
      throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("training was interrupted after step " + step);
    }
    long begin = System.nanoTime();
    List<Batch> micro = new ArrayList<>();
    long targets = 0;
    for (int i = 0; i < planned.phase().accumulationSteps(); i++) {
      Loader.Loaded loaded = batches.next();
      micro.add(loaded.batch());
      targets += loaded.batch().targetCount();
      loaderState = loaded.state();
    }
    if (targets == 0) {
      throw new BadInputException(
          "phase "
              + planned.phase().name()
              + ": a step without anything to predict; are the documents single tokens?");
    }
    double sum = 0;
    for (Batch batch : micro) {
      sum += learner.accumulate(batch, 1.0 / targets);
    }
    double loss = sum / targets;
    double norm = learner.gradientNorm();
    double rate = plan.learningRate(planned, phaseStep);
    step++;
    boolean finite = Double.isFinite(loss) && Double.isFinite(norm);
    if (finite) {
      learner.step(adamW, rate);
      skippedInRow = 0;
    } else {
      skip(loss, norm);
    }
    double elapsed = (System.nanoTime() - begin) / 1e9;
    long learned = planned.phase().tokensPerStep();
    tokens += learned;
    seconds += elapsed;
    double speed = learned / elapsed;
    return new StepMetrics(
        step,
        planned.phase().name(),
        Double.isFinite(loss) ? loss : null,
        rate,
        Double.isFinite(norm) ? norm : null,
        tokens,
        speed,
        mfu(speed, planned.phase().contextLength()),
        seconds,
        Instant.now().toEpochMilli() / 1e3,
        finite ? null : true);
  }

  private void skip(double loss, double norm) {
    learner.discardGradients();
    skippedInRow++;
    String found = "step " + step + ": loss " + loss + ", gradient norm " + norm;
    if (recipe.onNonFiniteLoss() == NonFiniteLoss.STOP) {
      throw new NonFiniteLossException(found + "; the recipe says stop");
    }
    if (skippedInRow > recipe.maxSkippedSteps()) {
      throw new NonFiniteLossException(found + "; " + skippedInRow + " steps in a row");
    }
    progress.note(found + "; skipped");
  }

  private void afterStep(Plan.Planned planned, long phaseSteps) throws IOException {
    boolean last = phaseSteps == planned.steps();
    Validation validation = recipe.evaluation();
    if (validation != null && (last || due(validation.everySteps()))) {
      evaluate(planned);
    }
    Samples samples = recipe.samples();
    if (samples != null && (last || due(samples.everySteps()))) {
      sample(samples);
    }
    if (last || recipe.checkpoints().due(step)) {
      checkpoint(planned, phaseSteps);
    }
  }

  private boolean due(long everySteps) {
    return everySteps > 0 && step % everySteps == 0;
  }

  private void evaluate(Plan.Planned planned) throws IOException {
    if (evaluator.isPresent()) {
      ValidationPoint point = evaluator.get().measure(learner, planned.phase(), step);
      lastValidation = point;
      bestLoss = bestLoss == null ? point.loss() : Math.min(bestLoss, point.loss());
      record.add(point);
      observer.onEvaluation(point);
    }
  }

  private void sample(Samples samples) throws IOException {
    if (job.generator().isPresent()) {
      List<String> texts =
          job.generator().get().generate(learner.config(), learner.weights(), samples);
      for (int i = 0; i < texts.size(); i++) {
        SampleText text = new SampleText(step, samples.prompts().get(i), texts.get(i));
        record.add(text);
        observer.onSample(text);
      }
    }
  }

  private void checkpoint(Plan.Planned planned, long phaseSteps) throws IOException {
    TrainerState state =
        new TrainerState(
            step,
            planned.phase().name(),
            planned.index(),
            phaseSteps,
            seed,
            loaderState,
            tokens,
            seconds,
            skippedInRow,
            bestLoss,
            lastValidation,
            record.header().identity());
    Path saved = record.save(state, learner);
    lastCheckpoint = saved;
    Integer keepLast = recipe.checkpoints().keepLast();
    if (keepLast != null) {
      List<Long> kept = new ArrayList<>(recipe.checkpoints().atSteps());
      kept.addAll(plan.ends());
      record.prune(keepLast, kept);
    }
    observer.onCheckpoint(saved);
  }

  private String statusOf(StepMetrics metrics) {
    ValidationPoint held = lastValidation;
    String loss =
        metrics.loss() == null ? "loss not finite" : "loss %.3f".formatted(metrics.loss());
    return held == null ? loss : loss + ", held-out %.3f".formatted(held.loss());
  }

  /// Model FLOPs utilisation as in PaLM, appendix B: 6 per weight and 12·L·H·D·T for attention.
  private @Nullable Double mfu(double tokensPerSecond, int contextLength) {
    if (job.peakFlops().isEmpty()) {
      return null;
    }
    ModelConfig config = learner.config();
    double attention =
        12.0
            * config.numHiddenLayers()
            * config.numAttentionHeads()
            * config.headDim()
            * contextLength;
    double perToken = 6.0 * config.parameterCount() + attention;
    return perToken * tokensPerSecond / job.peakFlops().getAsDouble();
  }
}
