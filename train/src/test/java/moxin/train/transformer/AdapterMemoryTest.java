package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.train.adapter.AdapterMemory;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.Test;

class AdapterMemoryTest {
  private static final double GB = 1e9;

  @Test
  void aWorkspaceHasTheBytesThatAreForetold() throws IOException {
    LibTorch.load(Progress.silent());
    for (OptionalInt window : List.of(OptionalInt.empty(), OptionalInt.of(40))) {
      ModelConfig config =
          new ModelConfig(
              "mistral", 61, 48, 76, 3, 4, 2, 8, 1e-5, 10000, window, 4096, true, 1, 2, 0.3);
      for (DType type : List.of(DType.F32, DType.BF16)) {
        for (ActivationMemory memory : ActivationMemory.values()) {
          for (int[] shape : new int[][] {{1, 1}, {3, 33}, {2, 257}, {64, 1100}}) {
            try (Workspace workspace =
                Workspace.create(
                    config, shape[0], shape[1], type, Device.CPU, new VectorKernels(), memory)) {
              assertThat(new WorkspaceSize(config, shape[0], shape[1], type, memory).bytes())
                  .as(type + " " + memory + " " + shape[0] + " " + shape[1])
                  .isEqualTo(workspace.byteSize());
            }
          }
        }
      }
    }
  }

  @Test
  void theEightBillionModelTrainsItsAdapterWithin24Gigabytes() {
    ModelConfig moxin = moxin7b();
    assertThat(moxin.parameterCount()).isEqualTo(8_114_180_096L);
    AdapterSettings settings = new AdapterSettings(16, 32, EnumSet.allOf(AdapterTarget.class));
    assertThat(settings.parameterCount(moxin)).isEqualTo(36L * 16 * 81_920);
    for (FrozenWeights weights : List.of(FrozenWeights.NF4, FrozenWeights.Q4_0)) {
      AdapterMemory memory =
          new AdapterMemoryPlan(
                  moxin,
                  settings,
                  weights,
                  DType.BF16,
                  ActivationMemory.RECOMPUTE,
                  2,
                  4,
                  UpdateOptions.exact())
              .memory(1, 2048);
      assertThat(memory.weights() / GB).as(memory.toString()).isBetween(4.9, 5.0);
      assertThat(memory.layers() / GB).isBetween(0.4, 0.5);
      assertThat(memory.adapter() / GB).isBetween(0.9, 1.0);
      assertThat(memory.activations() / GB).isBetween(1.5, 3.0);
      assertThat(memory.total()).isLessThan(12_000_000_000L);
    }
    AdapterMemory plain =
        new AdapterMemoryPlan(
                moxin,
                settings,
                FrozenWeights.PLAIN,
                DType.BF16,
                ActivationMemory.KEEP,
                2,
                4,
                UpdateOptions.exact())
            .memory(1, 2048);
    assertThat(plain.weights()).isGreaterThanOrEqualTo(2 * moxin.parameterCount());
    assertThat(plain.total()).isGreaterThan(24_000_000_000L);
  }

  static ModelConfig moxin7b() {
    return new ModelConfig(
        "mistral",
        32_000,
        4096,
        14_336,
        36,
        32,
        8,
        128,
        1e-5,
        10_000,
        OptionalInt.of(4096),
        32_768,
        false,
        1,
        2,
        0.02);
  }
}
