package moxin.train.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import moxin.job.BadInputException;
import moxin.job.ResidentMemory;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.Learner;
import moxin.train.loader.Loader;
import moxin.train.loader.Prefetch;
import moxin.train.recipe.Monitoring;
import moxin.train.recipe.Statistics;
import org.jspecify.annotations.Nullable;

/// Takes optimizer steps: reads the micro-batches of a step, learns from them, has the step judged
/// and updates the weights.
final class Stepper implements AutoCloseable {
  private final Plan plan;
  private final Learner learner;
  private final StepJudge judge;
  private final Position position;
  private final Watchdog watchdog;
  private final AdamW adamW;
  private final Utilisation utilisation;
  private final @Nullable Statistics statistics;
  private final StatisticsProbe probe = new StatisticsProbe();

  /// @param peakFlops of the machine, where the caller knows it; else the recipe's
  Stepper(
      Plan plan,
      Learner learner,
      StepJudge judge,
      Position position,
      Watchdog watchdog,
      OptionalDouble peakFlops) {
    Monitoring monitoring = plan.recipe().monitoring();
    Double tflops = monitoring.peakTflops();
    this.plan = plan;
    this.learner = learner;
    this.judge = judge;
    this.position = position;
    this.watchdog = watchdog;
    this.adamW = plan.recipe().optimizer().adamW();
    this.statistics = monitoring.statistics();
    this.utilisation =
        new Utilisation(
            learner.config(),
            peakFlops.isEmpty() && tflops != null ? OptionalDouble.of(1e12 * tflops) : peakFlops);
  }

  private record Micro(List<Batch> batches, long targets) {}

  /// Takes the next step; `position` is after it then, whatever the verdict.
  Step take(Plan.Planned planned, Prefetch batches) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException("training was interrupted after step " + position.step);
    }
    long begin = System.nanoTime();
    Micro micro = read(planned, batches);
    double sum = 0;
    for (Batch batch : micro.batches()) {
      sum += learner.accumulate(batch, 1.0 / micro.targets());
      watchdog.beat();
    }
    double loss = sum / micro.targets();
    double norm = learner.gradientNorm();
    double rate = plan.learningRate(planned, position.step - planned.firstStep());
    position.step++;
    Optional<StepJudge.Verdict> verdict = judge.judge(loss, norm);
    Optional<StepStatistics> measured = Optional.empty();
    if (verdict.isEmpty()) {
      judge.accept(loss, norm);
      position.skippedInRow = 0;
      measured = update(rate);
    } else {
      learner.discardGradients();
    }
    double elapsed = (System.nanoTime() - begin) / 1e9;
    position.tokens += planned.phase().tokensPerStep();
    position.seconds += elapsed;
    watchdog.stepTook(elapsed);
    double speed = planned.phase().tokensPerStep() / elapsed;
    OptionalLong resident = ResidentMemory.bytes();
    StepMetrics metrics =
        new StepMetrics(
            position.step,
            planned.phase().name(),
            Double.isFinite(loss) ? loss : null,
            rate,
            Double.isFinite(norm) ? norm : null,
            position.tokens,
            speed,
            utilisation.of(speed, planned.phase().contextLength()),
            position.seconds,
            Instant.now().toEpochMilli() / 1e3,
            verdict.isEmpty() ? null : true,
            resident.isPresent() ? resident.getAsLong() : null);
    return new Step(metrics, verdict, measured);
  }

  private Optional<StepStatistics> update(double rate) {
    if (statistics == null || position.step % statistics.everySteps() != 0) {
      learner.step(adamW, rate);
      return Optional.empty();
    }
    probe.lookBefore(learner);
    learner.step(adamW, rate);
    return Optional.of(probe.lookAfter(learner, position.step));
  }

  private Micro read(Plan.Planned planned, Prefetch batches) throws InterruptedException {
    List<Batch> micro = new ArrayList<>();
    long targets = 0;
    for (int i = 0; i < planned.phase().accumulationSteps(); i++) {
      Loader.Loaded loaded = batches.next();
      micro.add(loaded.batch());
      targets += loaded.batch().targetCount();
      position.loader = loaded.state();
    }
    if (targets == 0) {
      throw new BadInputException(
          "phase "
              + planned.phase().name()
              + ": a step without anything to predict; are the documents single tokens?");
    }
    return new Micro(micro, targets);
  }

  @Override
  public void close() {
    probe.close();
  }
}
