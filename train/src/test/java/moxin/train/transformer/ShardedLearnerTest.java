package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.DistributedLearner;
import moxin.train.Learner;
import moxin.train.ZeroStage;
import moxin.train.transformer.WeightInitializer.OutputScale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Threads as processes, against [TorchLearner].
class ShardedLearnerTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 0.5);
  private static final long SEED = ThreadJob.SEED;

  @TempDir private Path directory = Path.of("");

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  static Stream<Arguments> divisions() {
    List<Arguments> all = new ArrayList<>();
    for (ZeroStage stage : ZeroStage.values()) {
      for (int ranks : new int[] {1, 2, 4}) {
        boolean odd = (ranks + stage.number()) % 2 == 1;
        all.add(
            Arguments.of(
                stage,
                ranks,
                odd ? DType.BF16 : DType.F32,
                stage.number() % 2 == 0,
                odd ? ActivationMemory.RECOMPUTE : ActivationMemory.KEEP));
      }
    }
    all.add(Arguments.of(ZeroStage.WEIGHTS, 2, DType.F32, true, ActivationMemory.RECOMPUTE));
    all.add(Arguments.of(ZeroStage.GRADIENTS, 4, DType.BF16, false, ActivationMemory.KEEP));
    return all.stream();
  }

  /// Losses, norms, weights and moments, by name.
  private record Outcome(List<Double> numbers, List<String> names, List<float[]> values) {}

  @ParameterizedTest
  @MethodSource("divisions")
  void theBitsAreThoseOfOneProcess(
      ZeroStage stage, int ranks, DType type, boolean tied, ActivationMemory memory)
      throws Exception {
    ModelConfig config = config(tied);
    long live = Tensor.liveCount();
    Outcome expected;
    try (TorchLearner learner =
        TorchLearner.create(
            config, new LearnerOptions(type, Device.CPU, 2, memory), Progress.silent())) {
      learner.initialize(new WeightInitializer(SEED, OutputScale.BY_DEPTH));
      expected = train(learner, config);
    }
    Outcome found = ThreadJob.run(config, stage, ranks, type, memory, l -> train(l, config));
    assertThat(found.numbers()).isEqualTo(expected.numbers());
    assertThat(found.names()).isEqualTo(expected.names());
    for (int i = 0; i < expected.values().size(); i++) {
      assertThat(found.values().get(i))
          .as(expected.names().get(i))
          .isEqualTo(expected.values().get(i));
    }
    assertThat(Tensor.liveCount()).isEqualTo(live);
  }

  @Test
  void threeProcessesAgreeUpToRounding() throws Exception {
    ModelConfig config = config(true);
    Function<Learner, Outcome> training = learner -> train(learner, config);
    Outcome one =
        ThreadJob.run(config, ZeroStage.NONE, 1, DType.F32, ActivationMemory.KEEP, training);
    for (ZeroStage stage : List.of(ZeroStage.OPTIMIZER, ZeroStage.WEIGHTS)) {
      Outcome three = ThreadJob.run(config, stage, 3, DType.F32, ActivationMemory.KEEP, training);
      for (int i = 0; i < one.numbers().size(); i++) {
        double expected = one.numbers().get(i);
        assertThat(three.numbers().get(i)).isCloseTo(expected, within(1e-6 * expected));
      }
    }
  }

  @Test
  void aCheckpointWrittenByTwoGoesOnWithFourAndWithOne() throws Exception {
    ModelConfig config = config(false);
    Outcome expected =
        ThreadJob.run(
            config,
            ZeroStage.GRADIENTS,
            2,
            DType.F32,
            ActivationMemory.KEEP,
            learner -> {
              train(learner, config);
              try {
                ((DistributedLearner) learner).writeCheckpoint(directory);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
              return train(learner, config);
            });
    assertThat(directory).isDirectoryContaining("glob:**/model-00002-of-00002.safetensors");
    for (int ranks : new int[] {1, 4}) {
      ZeroStage stage = ranks == 1 ? ZeroStage.NONE : ZeroStage.WEIGHTS;
      Outcome found =
          ThreadJob.run(
              config,
              stage,
              ranks,
              DType.F32,
              ActivationMemory.KEEP,
              learner -> {
                resume(learner);
                return train(learner, config);
              });
      assertThat(found.numbers()).as("with " + ranks).isEqualTo(expected.numbers());
    }
    try (TorchLearner learner =
        TorchLearner.create(config, LearnerOptions.onCpu(DType.F32), Progress.silent())) {
      resume(learner);
      assertThat(train(learner, config).numbers()).isEqualTo(expected.numbers());
    }
  }

  private void resume(Learner learner) {
    Path optimizer = directory.resolve("optimizer.safetensors.index.json");
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(directory);
        SafetensorsCheckpoint state = SafetensorsCheckpoint.open(optimizer)) {
      learner.loadWeights(weights);
      learner.loadOptimizerState(state);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Outcome train(Learner learner, ModelConfig config) {
    Random random = new Random(11);
    List<Double> numbers = new ArrayList<>();
    for (int step = 0; step < 3; step++) {
      for (int rows : new int[] {4, 7, 3}) {
        Batch batch = batch(random, rows, 13, config.vocabSize());
        numbers.add(learner.accumulate(batch, 1.0 / 150));
      }
      numbers.add(learner.gradientNorm());
      learner.step(ADAM_W, 1e-3);
    }
    learner.accumulate(batch(random, 2, 8, config.vocabSize()), 1);
    learner.discardGradients();
    numbers.add(learner.evaluate(batch(random, 5, 17, config.vocabSize())));
    List<String> names = new ArrayList<>();
    List<float[]> values = new ArrayList<>();
    add(learner.weights(), names, values);
    add(learner.optimizerState(), names, values);
    return new Outcome(numbers, names, values);
  }

  private static void add(List<TensorView> tensors, List<String> names, List<float[]> values) {
    for (TensorView tensor : tensors) {
      names.add(tensor.name());
      if (tensor.dtype() == DType.F32) {
        values.add(Precision.widen(tensor));
      }
    }
    MemoryCheckpoint.of("tensors", tensors).close();
  }

  static ModelConfig config(boolean tied) {
    return new ModelConfig(
        "mistral", 257, 64, 96, 3, 4, 2, 16, 1e-5, 10000, OptionalInt.of(8), 512, tied, 1, 2, 0.3);
  }

  static Batch batch(Random random, int rows, int length, int vocabulary) {
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
}
