package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.UnaryOperator;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.train.AdamW;
import moxin.train.Batch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// How a batch is cut, laid out and computed does not change what is learned from it beyond what is
/// said here; and training learns, at a rate that is neither too low nor too high.
///
/// That ZeRO stages and the number of processes change nothing is in `ShardedLearnerTest` and
/// `DistributedTrainingIT`.
@Seeded
class LossCurveTest {
  private static final int STEPS = 16;
  private static final int ROWS = 4;
  private static final int LENGTH = 33;
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 1.0);
  private static final ModelConfig CONFIG =
      new ModelConfig(
          "mistral",
          61,
          48,
          76,
          2,
          4,
          2,
          12,
          1e-5,
          10000,
          OptionalInt.of(20),
          512,
          true,
          1,
          2,
          0.05);

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @Test
  void accumulationChangesNothingButRounding(Random random) {
    List<Batch> batches = batches(random);
    double[] whole = curve(DType.F32, ActivationMemory.KEEP, batches, List::of);
    double[] quarters = curve(DType.F32, ActivationMemory.KEEP, batches, batch -> rows(batch, 1));
    double[] halves = curve(DType.F32, ActivationMemory.KEEP, batches, batch -> rows(batch, 2));
    assertNear(quarters, whole, 2e-5);
    assertNear(halves, whole, 2e-5);
    assertThat(whole[STEPS - 1]).isLessThan(whole[0] - 0.5);
  }

  @Test
  void recomputationChangesNoBit(Random random) {
    List<Batch> batches = batches(random);
    for (DType type : List.of(DType.F32, DType.BF16)) {
      assertThat(curve(type, ActivationMemory.RECOMPUTE, batches, List::of))
          .isEqualTo(curve(type, ActivationMemory.KEEP, batches, List::of));
    }
  }

  /// Documents in one row see only themselves, as if each had a row of its own.
  @Test
  void packingChangesNothingButRounding(Random random) {
    List<Batch> packed = batches(random);
    double[] together = curve(DType.F32, ActivationMemory.KEEP, packed, List::of);
    double[] apart =
        curve(DType.F32, ActivationMemory.KEEP, packed, batch -> List.of(documents(batch)));
    assertNear(apart, together, 2e-5);
  }

  @Test
  void bf16StaysWithinOnePercent(Random random) {
    List<Batch> batches = batches(random);
    double[] exact = curve(DType.F32, ActivationMemory.KEEP, batches, List::of);
    double[] narrow = curve(DType.BF16, ActivationMemory.KEEP, batches, List::of);
    assertNear(narrow, exact, 1e-2);
    assertThat(narrow).isNotEqualTo(exact);
  }

  @Test
  void oneBatchIsLearnedByHeart(Random random) {
    Batch batch = batches(random).getFirst();
    try (TorchLearner learner = learner(DType.F32, ActivationMemory.KEEP)) {
      double first = learn(learner, List.of(batch), 0);
      assertThat(first).isCloseTo(Math.log(CONFIG.vocabSize()), within(0.3));
      for (int step = 0; step < 80; step++) {
        learn(learner, List.of(batch), 1e-2);
      }
      assertThat(learner.evaluate(batch) / batch.targetCount()).isLessThan(0.2);
    }
  }

  @Test
  void theLearningRateMattersAsItShould(Random random) {
    List<Batch> batches = batches(random);
    double none = lossAfter(batches, 0);
    double low = lossAfter(batches, 1e-5);
    double good = lossAfter(batches, 1e-2);
    double high = lossAfter(batches, 1);
    assertThat(none).isCloseTo(Math.log(CONFIG.vocabSize()), within(0.3));
    assertThat(low).isLessThan(none).isGreaterThan(none - 0.05);
    assertThat(good).isLessThan(none - 0.5);
    assertThat(high).isGreaterThan(none + 0.5);
  }

  private static double lossAfter(List<Batch> batches, double rate) {
    try (TorchLearner learner = learner(DType.F32, ActivationMemory.KEEP)) {
      batches.forEach(batch -> learn(learner, List.of(batch), rate));
      Batch first = batches.getFirst();
      return learner.evaluate(first) / first.targetCount();
    }
  }

  /// Cuts a batch into those that are accumulated.
  private interface Cut {
    List<Batch> of(Batch batch);
  }

  private static double[] curve(DType type, ActivationMemory memory, List<Batch> batches, Cut cut) {
    double[] losses = new double[STEPS];
    try (TorchLearner learner = learner(type, memory)) {
      for (int step = 0; step < STEPS; step++) {
        losses[step] = learn(learner, cut.of(batches.get(step)), 5e-3);
      }
    }
    return losses;
  }

  private static TorchLearner learner(DType type, ActivationMemory memory) {
    LearnerOptions options = new LearnerOptions(type, Device.CPU, 2, memory);
    TorchLearner learner =
        new TorchLearner(CONFIG, options, new Execution(new AtenKernels(), 4, 2, 1));
    learner.initialize(new WeightInitializer(3, WeightInitializer.OutputScale.BY_DEPTH));
    return learner;
  }

  /// One step; returns its loss.
  private static double learn(TorchLearner learner, List<Batch> micro, double rate) {
    long targets = micro.stream().mapToLong(Batch::targetCount).sum();
    double sum = 0;
    for (Batch batch : micro) {
      sum += learner.accumulate(batch, 1.0 / targets);
    }
    learner.step(ADAM_W, rate);
    return sum / targets;
  }

  /// Rows of several documents, each of which counts on from a random id in random strides.
  private static List<Batch> batches(Random random) {
    List<Batch> batches = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      int[] ids = new int[ROWS * LENGTH];
      int[] targets = new int[ids.length];
      int[] segments = new int[ids.length];
      for (int row = 0; row < ROWS; row++) {
        int segment = 0;
        for (int at = 0; at < LENGTH; segment++) {
          int length = Math.min(LENGTH - at, 5 + random.nextInt(13));
          int id = random.nextInt(CONFIG.vocabSize());
          int stride = 1 + random.nextInt(3);
          for (int i = 0; i < length; i++) {
            int place = row * LENGTH + at + i;
            ids[place] = (id + i * stride) % CONFIG.vocabSize();
            targets[place] =
                i == length - 1 ? Batch.IGNORED : (id + (i + 1) * stride) % CONFIG.vocabSize();
            segments[place] = segment;
          }
          at += length;
        }
      }
      batches.add(new Batch(ROWS, LENGTH, ids, targets, segments));
    }
    return batches;
  }

  private static List<Batch> rows(Batch batch, int count) {
    List<Batch> parts = new ArrayList<>();
    for (int row = 0; row < batch.rows(); row += count) {
      int from = row * batch.length();
      UnaryOperator<int[]> part =
          all -> Arrays.copyOfRange(all, from, from + count * batch.length());
      parts.add(
          new Batch(
              count,
              batch.length(),
              part.apply(batch.ids()),
              part.apply(batch.targets()),
              part.apply(batch.segments())));
    }
    return parts;
  }

  /// The same documents in rows of their own, from position 0, with nothing to predict after them.
  private static Batch documents(Batch packed) {
    List<int[]> bounds = new ArrayList<>();
    int longest = 0;
    int begin = 0;
    for (int i = 1; i <= packed.ids().length; i++) {
      boolean ends = i % packed.length() == 0 || packed.segments()[i] != packed.segments()[i - 1];
      if (ends) {
        bounds.add(new int[] {begin, i});
        longest = Math.max(longest, i - begin);
        begin = i;
      }
    }
    int[] ids = new int[bounds.size() * longest];
    int[] targets = new int[ids.length];
    Arrays.fill(targets, Batch.IGNORED);
    for (int row = 0; row < bounds.size(); row++) {
      int from = bounds.get(row)[0];
      int length = bounds.get(row)[1] - from;
      System.arraycopy(packed.ids(), from, ids, row * longest, length);
      System.arraycopy(packed.targets(), from, targets, row * longest, length);
    }
    return new Batch(bounds.size(), longest, ids, targets, new int[ids.length]);
  }

  private static void assertNear(double[] found, double[] expected, double relative) {
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).as("step %d", i).isCloseTo(expected[i], within(relative * expected[i]));
    }
  }
}
