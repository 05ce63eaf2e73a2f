package moxin.train.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.util.Arrays;
import java.util.OptionalInt;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;
import moxin.train.recipe.Activations;
import moxin.train.transformer.ActivationMemory;
import moxin.train.transformer.LearnerOptions;
import moxin.train.transformer.TorchLearner;
import moxin.train.transformer.UpdateOptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The estimate against the bytes of all tensors that a learner on the CPU really has after a step.
/// They differ by what [#besides] counts, and by no byte more.
final class LearnerMemoryTest {

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @ParameterizedTest
  @CsvSource({
    "F32,  KEEP,      4, 128, 0,  1, FP32, FP32",
    "F32,  RECOMPUTE, 8, 33,  0,  1, BF16, FP32",
    "BF16, KEEP,      5, 160, 0,  1, FP32, FP32",
    "BF16, RECOMPUTE, 5, 160, 0,  1, INT8, FP32",
    "BF16, SELECTIVE, 5, 160, 0,  1, INT8, NONE",
    "BF16, KEEP,      3, 257, 64, 1, FP32, NONE",
    "BF16, KEEP,      8, 128, 0,  2, BF16, NONE",
    "F32,  SELECTIVE, 4, 128, 0,  1, FP32, FP32",
    "F32,  RECOMPUTE, 1, 257, 0,  4, FP32, FP32",
  })
  void theEstimateIsWhatALearnerAllocates(
      DType type,
      Activations activations,
      int rows,
      int length,
      int window,
      int processors,
      OptimizerStates states,
      MasterWeights master)
      throws IOException {
    ModelConfig config = config(window == 0 ? OptionalInt.empty() : OptionalInt.of(window));
    ActivationMemory memory =
        switch (activations) {
          case KEEP -> ActivationMemory.KEEP;
          case SELECTIVE -> ActivationMemory.SELECTIVE;
          case RECOMPUTE -> ActivationMemory.RECOMPUTE;
        };
    DeviceMemory estimate =
        DeviceMemory.of(
            config,
            rows,
            length,
            Placement.onCpu(type, activations, processors).withMoments(states).withMaster(master));
    long before = Tensor.liveBytes();
    try (TorchLearner learner =
        TorchLearner.create(
            config,
            new LearnerOptions(
                type,
                Device.CPU,
                processors,
                memory,
                new UpdateOptions(states, master, OptimizerPlace.DEVICE, 1),
                0),
            Progress.silent())) {
      step(learner, rows, length);
      double taken = Tensor.liveBytes() - before;
      double expected = estimate.total() + besides(config, rows, type, states, master);
      assertThat(taken).as("%s", estimate).isCloseTo(expected, within(1.0));
      assertThat((double) estimate.total()).isCloseTo(taken, withinPercentage(1));
    }
    assertThat(Tensor.liveBytes()).isEqualTo(before);
  }

  /// What the estimate neglects: norms and their gradients are fp32 whatever the compute type, and
  /// a parameter begins a block of 8-bit states, which here leaves gaps behind norms only.
  private static double besides(
      ModelConfig config, int rows, DType type, OptimizerStates states, MasterWeights master) {
    int norms = 2 * config.numHiddenLayers() + 1;
    int slices = Math.min(4, rows);
    int gap = states == OptimizerStates.INT8 ? OptimizerStates.BLOCK - config.hiddenSize() : 0;
    double ofGaps = norms * gap * (4 + 4 + 4 * slices + states.bytesPerWeight());
    int weight = master == MasterWeights.NONE ? 2 : -2;
    int wider = type == DType.F32 ? 0 : 2 * slices + weight;
    return ofGaps + (double) norms * config.hiddenSize() * wider;
  }

  private static void step(TorchLearner learner, int rows, int length) {
    int[] ids = new int[rows * length];
    Arrays.setAll(ids, i -> i * 31 % learner.config().vocabSize());
    Batch batch = new Batch(rows, length, ids, ids.clone(), new int[ids.length]);
    learner.accumulate(batch, 1.0 / batch.targetCount());
    learner.step(new AdamW(0.9, 0.95, 1e-8, 0.1, false, false, 1), 1e-3);
  }

  private static ModelConfig config(OptionalInt window) {
    return new ModelConfig(
        "mistral", 1000, 64, 176, 3, 4, 2, 16, 1e-5, 10000, window, 1024, false, 1, 2, 0.02);
  }
}
