package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Session;
import moxin.model.LanguageModelContract;
import moxin.model.LogitRows;
import moxin.model.ModelConfig;
import moxin.model.TinyModels;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The laws of [LanguageModel], exactly: equality here is equality of bits.
final class CpuModelContractTest extends LanguageModelContract {

  @Override
  protected LanguageModel open(ModelConfig config, Checkpoint weights) {
    return CpuModel.of(config, weights, new EngineOptions(2, KernelChoice.AUTO));
  }

  @Override
  protected double tolerance() {
    return 0;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void threadsAndKernelsChangeNoBit(DType dtype, Random random) {
    ModelConfig config = TinyModels.config(OptionalInt.empty());
    Checkpoint weights = TinyModels.weights(config, dtype, random);
    int[] ids = TinyModels.ids(random, 70);
    float[] expected = null;
    for (KernelChoice kernels : List.of(KernelChoice.SCALAR, KernelChoice.VECTOR)) {
      for (int threads : new int[] {1, 2, 5}) {
        EngineOptions options = new EngineOptions(threads, kernels);
        try (CpuModel model = CpuModel.of(config, weights, options);
            Session session = model.newSession()) {
          float[] actual = session.ingest(ids, LogitRows.ALL).values();
          expected = expected == null ? actual : expected;
          assertThat(actual).isEqualTo(expected);
        }
      }
    }
  }

  /// A cache in int8 obeys the same laws, and changes logits little.
  @Nested
  final class WithBytesInTheCache extends LanguageModelContract {
    @Override
    protected LanguageModel open(ModelConfig config, Checkpoint weights) {
      return CpuModel.of(config, weights, EngineOptions.defaults().withKvType(KvType.Q8));
    }

    @Override
    protected double tolerance() {
      return 0;
    }

    @Test
    void logitsAreNearThoseOfAnExactCache(Random random) {
      ModelConfig config = TinyModels.config(OptionalInt.of(40));
      Checkpoint weights = TinyModels.weights(config, DType.F32, random);
      int[] ids = TinyModels.ids(random, 150);
      try (LanguageModel exact =
              CpuModel.of(config, weights, EngineOptions.defaults().withKvType(KvType.F32));
          LanguageModel bytes = open(config, weights);
          Session one = exact.newSession();
          Session other = bytes.newSession()) {
        float[] expected = one.ingest(ids, LogitRows.ALL).values();
        float[] actual = other.ingest(ids, LogitRows.ALL).values();
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
          error += Math.pow(actual[i] - (double) expected[i], 2);
          size += Math.pow(expected[i], 2);
        }
        assertThat(Math.sqrt(error / size)).isBetween(1e-7, 0.02);
      }
    }
  }
}
