package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.WeightNames;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The learner against [ReferenceTransformer] in float64.
@Seeded
class LearnerParityTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 1.0);

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  static Stream<Arguments> shapes() {
    return Stream.of(
        Arguments.of(new VectorKernels(), OptionalInt.empty(), true, 33),
        Arguments.of(new VectorKernels(), OptionalInt.of(8), false, 33),
        Arguments.of(new VectorKernels(), OptionalInt.of(40), true, 290),
        Arguments.of(new VectorKernels(), OptionalInt.empty(), false, 257),
        Arguments.of(new AtenKernels(), OptionalInt.empty(), true, 33),
        Arguments.of(new AtenKernels(), OptionalInt.of(8), false, 33));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void gradientsAndStepsAgreeWithFloat64(
      Kernels kernels, OptionalInt window, boolean tied, int length) {
    Random random = new Random(7);
    ModelConfig config = config(window, tied);
    try (TorchLearner learner = learner(config, kernels, DType.F32, ActivationMemory.KEEP);
        Checkpoint weights = MemoryCheckpoint.of("fresh weights", learner.weights())) {
      ReferenceTransformer reference = new ReferenceTransformer(config, weights);
      for (int step = 0; step < 3; step++) {
        Batch batch = batch(random, 3, length, config.vocabSize());
        double scale = 1.0 / batch.targetCount();
        double loss = learner.accumulate(batch, scale);
        double expected = reference.accumulate(batch, scale);
        assertThat(loss).isCloseTo(expected, within(1e-6 * expected));
        assertThat(learner.gradientNorm())
            .isCloseTo(reference.gradientNorm(), within(1e-5 * reference.gradientNorm()));
        for (String name : WeightNames.shapes(config).keySet()) {
          assertThat(relativeError(learner.gradient(name), reference.gradient(name)))
              .as(name)
              .isLessThan(3e-5);
        }
        learner.step(ADAM_W, 1e-3);
        reference.step(ADAM_W, 1e-3);
      }
    }
  }

  @Test
  void splittingABatchDoesNotChangeItsGradient(Random random) {
    ModelConfig config = config(OptionalInt.of(8), true);
    Batch batch = batch(random, 6, 33, config.vocabSize());
    try (TorchLearner whole =
            learner(config, new VectorKernels(), DType.F32, ActivationMemory.KEEP);
        TorchLearner parts =
            learner(config, new VectorKernels(), DType.F32, ActivationMemory.KEEP)) {
      double scale = 1.0 / batch.targetCount();
      double loss = whole.accumulate(batch, scale);
      double sum =
          parts.accumulate(rows(batch, 0, 1), scale) + parts.accumulate(rows(batch, 1, 6), scale);
      assertThat(sum).isCloseTo(loss, within(1e-6 * loss));
      assertThat(parts.gradientNorm()).isCloseTo(whole.gradientNorm(), within(1e-5));
      assertThat(whole.evaluate(batch)).isEqualTo(loss);
    }
  }

  @Test
  void bitsDoNotDependOnThreadsOrRecomputation(Random random) {
    ModelConfig config = config(OptionalInt.empty(), true);
    Batch batch = batch(random, 6, 70, config.vocabSize());
    for (DType type : List.of(DType.F32, DType.BF16)) {
      float[] expected = null;
      for (Execution execution :
          List.of(
              new Execution(new VectorKernels(), 4, 1, 1),
              new Execution(new VectorKernels(), 4, 2, 1),
              new Execution(new VectorKernels(), 4, 3, 2))) {
        for (ActivationMemory memory : ActivationMemory.values()) {
          LearnerOptions options = new LearnerOptions(type, Device.CPU, 1, memory);
          try (TorchLearner learner = new TorchLearner(config, options, execution)) {
            learner.initialize(new WeightInitializer(1, WeightInitializer.OutputScale.SAME));
            for (int step = 0; step < 3; step++) {
              learner.accumulate(batch, 1e-2);
              learner.step(ADAM_W, 1e-3);
            }
            float[] found = Precision.widen(learner.weights().get(3));
            expected = expected == null ? found : expected;
            assertThat(found).as(type + " " + execution + " " + memory).isEqualTo(expected);
          }
        }
      }
    }
  }

  @Test
  void bf16FollowsFloat64Roughly(Random random) {
    ModelConfig config = config(OptionalInt.of(40), true);
    Batch batch = batch(random, 4, 129, config.vocabSize());
    for (Kernels kernels : List.of(new VectorKernels(), new AtenKernels())) {
      try (TorchLearner learner = learner(config, kernels, DType.BF16, ActivationMemory.KEEP);
          Checkpoint weights = MemoryCheckpoint.of("fresh weights", learner.weights())) {
        ReferenceTransformer reference = new ReferenceTransformer(config, weights);
        double scale = 1.0 / batch.targetCount();
        double expected = reference.accumulate(batch, scale);
        assertThat(learner.accumulate(batch, scale)).isCloseTo(expected, within(2e-3 * expected));
        for (String name : WeightNames.shapes(config).keySet()) {
          assertThat(relativeError(learner.gradient(name), reference.gradient(name)))
              .as(name)
              .isLessThan(0.15);
        }
      }
    }
  }

  @Test
  void closingFreesEveryTensor(Random random) {
    ModelConfig config = config(OptionalInt.of(8), true);
    long before = Tensor.liveCount();
    try (TorchLearner learner =
        learner(config, new VectorKernels(), DType.BF16, ActivationMemory.RECOMPUTE, 1)) {
      // With one thread the workspaces of all shapes exist after the first step; with more, which
      // thread meets which shape first is left to chance.
      learner.accumulate(batch(random, 5, 33, config.vocabSize()), 1);
      learner.step(ADAM_W, 1e-3);
      long live = Tensor.liveCount();
      learner.accumulate(batch(random, 5, 33, config.vocabSize()), 1);
      learner.step(ADAM_W, 1e-3);
      assertThat(Tensor.liveCount()).isEqualTo(live);
      learner.evaluate(batch(random, 3, 20, config.vocabSize()));
      assertThat(learner.optimizerState()).isNotEmpty();
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
    try (TorchLearner learner =
        learner(config, new VectorKernels(), DType.BF16, ActivationMemory.RECOMPUTE)) {
      learner.accumulate(batch(random, 9, 33, config.vocabSize()), 1);
    }
    assertThat(Tensor.liveCount()).as("after two threads").isEqualTo(before);
  }

  @Test
  void savedAndLoadedLearnerContinuesBitForBit(Random random) {
    ModelConfig config = config(OptionalInt.of(8), false);
    Batch batch = batch(random, 4, 33, config.vocabSize());
    for (DType type : List.of(DType.F32, DType.BF16)) {
      try (TorchLearner learner =
              learner(config, new VectorKernels(), type, ActivationMemory.KEEP);
          TorchLearner resumed =
              learner(config, new VectorKernels(), type, ActivationMemory.KEEP)) {
        step(learner, batch);
        resumed.initialize(new WeightInitializer(5, WeightInitializer.OutputScale.BY_DEPTH));
        resumed.loadWeights(MemoryCheckpoint.of("saved", learner.weights()));
        resumed.loadOptimizerState(MemoryCheckpoint.of("saved", learner.optimizerState()));
        step(learner, batch);
        step(resumed, batch);
        for (int i = 0; i < learner.weights().size(); i++) {
          assertThat(resumed.weights().get(i).data().mismatch(learner.weights().get(i).data()))
              .as(learner.weights().get(i).name())
              .isEqualTo(-1);
        }
      }
    }
  }

  static TorchLearner learner(
      ModelConfig config, Kernels kernels, DType type, ActivationMemory memory) {
    return learner(config, kernels, type, memory, 2);
  }

  private static TorchLearner learner(
      ModelConfig config, Kernels kernels, DType type, ActivationMemory memory, int threads) {
    LearnerOptions options = new LearnerOptions(type, Device.CPU, 2, memory);
    TorchLearner learner = new TorchLearner(config, options, new Execution(kernels, 4, threads, 1));
    learner.initialize(new WeightInitializer(3, WeightInitializer.OutputScale.SAME));
    return learner;
  }

  private static void step(TorchLearner learner, Batch batch) {
    learner.accumulate(batch, 1.0 / batch.targetCount());
    learner.step(ADAM_W, 1e-3);
  }

  private static ModelConfig config(OptionalInt window, boolean tied) {
    return new ModelConfig(
        "mistral", 61, 48, 76, 2, 4, 2, 8, 1e-5, 10000, window, 512, tied, 1, 2, 0.3);
  }

  private static Batch batch(Random random, int rows, int length, int vocabulary) {
    int[] ids = random.ints((long) rows * length, 0, vocabulary).toArray();
    int[] targets = random.ints((long) rows * length, 0, vocabulary).toArray();
    int[] segments = new int[rows * length];
    for (int i = 0; i < targets.length; i++) {
      if (random.nextInt(10) == 0) {
        targets[i] = Batch.IGNORED;
      }
      int previous = i % length == 0 ? 0 : segments[i - 1];
      segments[i] = random.nextInt(25) == 0 ? previous + 1 : previous;
    }
    return new Batch(rows, length, ids, targets, segments);
  }

  private static Batch rows(Batch batch, int from, int to) {
    int start = from * batch.length();
    int end = to * batch.length();
    return new Batch(
        to - from,
        batch.length(),
        Arrays.copyOfRange(batch.ids(), start, end),
        Arrays.copyOfRange(batch.targets(), start, end),
        Arrays.copyOfRange(batch.segments(), start, end));
  }

  static double relativeError(float[] found, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (found[i] - expected[i]) * (found[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return Math.sqrt(difference / norm);
  }
}
