package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.DistributedLearner;
import moxin.train.Learner;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;
import moxin.train.ZeroStage;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import moxin.train.transformer.WeightInitializer.OutputScale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Learners with narrow moments and without master weights.
class NarrowLearnerTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 0.5);

  @TempDir private Path directory = Path.of("");

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  static Stream<Arguments> optimizers() {
    return Stream.of(
        Arguments.of(OptimizerStates.BF16, MasterWeights.FP32),
        Arguments.of(OptimizerStates.INT8, MasterWeights.FP32),
        Arguments.of(OptimizerStates.FP32, MasterWeights.NONE),
        Arguments.of(OptimizerStates.INT8, MasterWeights.NONE));
  }

  private static UpdateOptions updates(OptimizerStates states, MasterWeights master) {
    return new UpdateOptions(states, master, OptimizerPlace.DEVICE, ThreadJob.SEED);
  }

  private static TorchLearner learner(ModelConfig config, UpdateOptions updates, int threads) {
    return learner(config, updates, threads, 1e-2);
  }

  private static TorchLearner learner(
      ModelConfig config, UpdateOptions updates, int threads, double zLoss) {
    LearnerOptions options =
        new LearnerOptions(DType.BF16, Device.CPU, 2, ActivationMemory.SELECTIVE, updates, zLoss);
    TorchLearner learner =
        new TorchLearner(config, options, new Execution(new VectorKernels(), 4, threads, 1));
    learner.initialize(new WeightInitializer(ThreadJob.SEED, OutputScale.BY_DEPTH));
    return learner;
  }

  /// Names, types and bytes of all that a learner knows, after some steps with accumulation.
  private static List<String> trained(Learner learner, ModelConfig config, long seed) {
    Random random = new Random(seed);
    for (int step = 0; step < 3; step++) {
      for (int rows : new int[] {4, 7}) {
        Batch batch = ShardedLearnerTest.batch(random, rows, 13, config.vocabSize());
        learner.accumulate(batch, 1.0 / 100);
      }
      learner.step(ADAM_W, 1e-3);
    }
    List<String> all = new ArrayList<>(described(learner.weights()));
    all.addAll(described(learner.optimizerState()));
    return all;
  }

  private static List<String> described(List<TensorView> tensors) {
    return tensors.stream()
        .map(
            tensor ->
                tensor.name()
                    + " "
                    + tensor.dtype()
                    + tensor.shape()
                    + " "
                    + java.util.Arrays.hashCode(
                        tensor.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void bitsDependOnSeedAndNotOnThreadsOrWhereTheStateIs(
      OptimizerStates states, MasterWeights master) {
    ModelConfig config = ShardedLearnerTest.config(false);
    long live = Tensor.liveCount();
    UpdateOptions here = updates(states, master);
    UpdateOptions host = new UpdateOptions(states, master, OptimizerPlace.HOST, ThreadJob.SEED);
    try (TorchLearner one = learner(config, here, 1);
        TorchLearner three = learner(config, here, 3);
        TorchLearner staged = learner(config, host, 2);
        TorchLearner other = learner(config, here.withSeed(4), 1)) {
      List<String> expected = trained(one, config, 1);
      assertThat(trained(three, config, 1)).isEqualTo(expected);
      assertThat(trained(staged, config, 1)).isEqualTo(expected);
      assertThat(trained(other, config, 1)).isNotEqualTo(expected);
    }
    assertThat(Tensor.liveCount()).isEqualTo(live);
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void aLoadedLearnerContinuesBitForBit(OptimizerStates states, MasterWeights master) {
    ModelConfig config = ShardedLearnerTest.config(true);
    UpdateOptions updates = updates(states, master);
    try (TorchLearner learner = learner(config, updates, 2);
        TorchLearner resumed = learner(config, updates, 2)) {
      trained(learner, config, 1);
      resumed.initialize(new WeightInitializer(9, OutputScale.BY_DEPTH));
      resumed.loadWeights(MemoryCheckpoint.of("saved", learner.weights()));
      resumed.loadOptimizerState(MemoryCheckpoint.of("saved", learner.optimizerState()));
      assertThat(trained(resumed, config, 2)).isEqualTo(trained(learner, config, 2));
    }
  }

  static Stream<Arguments> divisions() {
    List<Arguments> all = new ArrayList<>();
    for (ZeroStage stage : ZeroStage.values()) {
      for (int ranks : new int[] {2, 4}) {
        boolean some = (stage.number() + ranks / 2) % 2 == 0;
        all.add(
            Arguments.of(
                stage,
                ranks,
                stage == ZeroStage.GRADIENTS ? OptimizerStates.BF16 : OptimizerStates.INT8,
                some ? MasterWeights.NONE : MasterWeights.FP32,
                some));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("divisions")
  void severalProcessesHaveTheBitsOfOneAndGoOnFromItsCheckpoint(
      ZeroStage stage, int ranks, OptimizerStates states, MasterWeights master, boolean tied)
      throws Exception {
    ModelConfig config = ShardedLearnerTest.config(tied);
    UpdateOptions updates = updates(states, master);
    List<String> first;
    List<String> second;
    try (TorchLearner learner = learner(config, updates, 2, 1e-3)) {
      first = trained(learner, config, 1);
      second = trained(learner, config, 2);
    }
    ThreadJob.Plan plan =
        new ThreadJob.Plan(stage, DType.BF16, ActivationMemory.KEEP, updates, 1e-3);
    List<String> found =
        ThreadJob.run(
            config,
            ranks,
            plan,
            (_, learner) -> {
              List<String> all = trained(learner, config, 1);
              try {
                ((DistributedLearner) learner).writeCheckpoint(directory);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
              return all;
            });
    assertThat(found).isEqualTo(first);
    List<String> resumed =
        ThreadJob.run(
            config,
            6 - ranks,
            plan,
            (_, learner) -> {
              resume(learner);
              return trained(learner, config, 2);
            });
    assertThat(resumed).as("on another number of processes").isEqualTo(second);
    try (TorchLearner learner = learner(config, updates, 1, 1e-3)) {
      resume(learner);
      assertThat(trained(learner, config, 2)).as("on one").isEqualTo(second);
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

  /// An update of N weights whose errors are independent, right in the mean and at most as large as
  /// itself lowers the loss by what the exact one does but for a share of 1/√N: N is 125000 here,
  /// which makes 0.3 %, of which three are allowed.
  @ParameterizedTest
  @MethodSource("optimizers")
  void theLossFallsAsWithFp32(OptimizerStates states, MasterWeights master) {
    ModelConfig config = ShardedLearnerTest.config(false);
    double start;
    double expected;
    try (TorchLearner exact = learner(config, UpdateOptions.exact(), 2, 0)) {
      start = meanLoss(exact, config);
      overfit(exact, config);
      expected = meanLoss(exact, config);
    }
    try (TorchLearner narrow = learner(config, updates(states, master), 2, 0)) {
      overfit(narrow, config);
      // Half way down, where a step that is wrong shows.
      assertThat(expected).isBetween(0.1 * start, 0.8 * start);
      assertThat(meanLoss(narrow, config)).isCloseTo(expected, within(0.01 * (start - expected)));
    }
  }

  private static Batch text(ModelConfig config) {
    return ShardedLearnerTest.batch(new Random(5), 8, 24, config.vocabSize());
  }

  private static void overfit(Learner learner, ModelConfig config) {
    Batch batch = text(config);
    for (int step = 0; step < 8; step++) {
      learner.accumulate(batch, 1.0 / batch.targetCount());
      learner.step(ADAM_W, 2e-3);
    }
  }

  private static double meanLoss(Learner learner, ModelConfig config) {
    Batch batch = text(config);
    return learner.evaluate(batch) / batch.targetCount();
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void adaptersDoNotDependOnThreadsAndGoOnFromWhatTheyGave(
      OptimizerStates states, MasterWeights master) {
    ModelConfig config = ShardedLearnerTest.config(false);
    try (TorchLearner base = learner(config, UpdateOptions.exact(), 1);
        AdapterLearner one = adapter(config, base, updates(states, master), 1);
        AdapterLearner three = adapter(config, base, updates(states, master), 3);
        AdapterLearner resumed = adapter(config, base, updates(states, master), 2)) {
      List<String> expected = trained(one, config, 1);
      assertThat(trained(three, config, 1)).isEqualTo(expected);
      resumed.loadWeights(MemoryCheckpoint.of("saved", one.weights()));
      resumed.loadOptimizerState(MemoryCheckpoint.of("saved", one.optimizerState()));
      assertThat(trained(resumed, config, 2)).isEqualTo(trained(three, config, 2));
    }
  }

  private static AdapterLearner adapter(
      ModelConfig config, TorchLearner base, UpdateOptions updates, int threads) {
    return AdapterLearner.create(
        config,
        MemoryCheckpoint.of("base", base.weights()),
        new AdapterSettings(8, 16, EnumSet.allOf(AdapterTarget.class)),
        FrozenWeights.PLAIN,
        new LearnerOptions(DType.BF16, Device.CPU, 2, ActivationMemory.SELECTIVE, updates, 0),
        3,
        new Execution(new VectorKernels(), 4, threads, 1));
  }

  @Test
  void aStateOfAnotherTypeIsRefusedByName() {
    ModelConfig config = ShardedLearnerTest.config(true);
    try (TorchLearner exact = learner(config, UpdateOptions.exact(), 1);
        TorchLearner narrow =
            learner(config, updates(OptimizerStates.BF16, MasterWeights.FP32), 1)) {
      assertThatThrownBy(
              () -> narrow.loadOptimizerState(MemoryCheckpoint.of("it", exact.optimizerState())))
          .isInstanceOf(CheckpointFormatException.class)
          .hasMessageContaining("exp_avg is F32, expected BF16")
          .hasMessageContaining("optimizer.states");
    }
  }

  @Test
  void matricesThatShareABlockAreRefusedByName() {
    ModelConfig odd =
        new ModelConfig(
            "mistral",
            61,
            48,
            76,
            2,
            4,
            2,
            8,
            1e-5,
            10000,
            OptionalInt.empty(),
            512,
            true,
            1,
            2,
            0.3);
    assertThatThrownBy(() -> learner(odd, updates(OptimizerStates.INT8, MasterWeights.FP32), 1))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("up_proj")
        .hasMessageContaining("use bf16");
  }
}
