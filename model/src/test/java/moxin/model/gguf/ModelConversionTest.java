package moxin.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.GgufCheckpoint;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.model.TinyModels;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.text.gguf.GgufValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Seeded
final class ModelConversionTest {

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"F32, F32, 1", "BF16, BF16, 2", "F16, F16, 3", "BF16, F32, 7"})
  void throughGgufAndBackEveryWeightIsTheSame(DType type, DType middle, int threads, Random random)
      throws IOException {
    ModelConfig config = TinyModels.config(OptionalInt.of(7));
    Checkpoint weights = TinyModels.weights(config, type, random);
    Path gguf = directory.resolve("model.gguf");
    toGguf(weights, config, gguf, QuantisationMix.ofFloatingPoint(middle), threads);
    Path back = Files.createDirectory(directory.resolve("back"));
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
      assertThat(checkpoint.config()).isEqualTo(config);
      assertThat(checkpoint.tensor(WeightNames.FINAL_NORM).dtype()).isEqualTo(DType.F32);
      assertThat(checkpoint.tensor(LayerWeight.QUERY.name(0)).dtype()).isEqualTo(middle);
      ModelConversion.of(checkpoint, checkpoint.config(), threads, Progress.silent())
          .toDirectory(back, type);
    }
    assertThat(ModelConfigFile.read(back)).isEqualTo(config);
    try (SafetensorsCheckpoint read = SafetensorsCheckpoint.open(back)) {
      assertThat(read.names()).isEqualTo(weights.names());
      for (String name : weights.names()) {
        assertThat(read.tensor(name).dtype()).isEqualTo(type);
        assertThat(bytes(read.tensor(name))).as(name).isEqualTo(bytes(weights.tensor(name)));
      }
    }
  }

  @Test
  void theFileDoesNotDependOnThreads(Random random) throws IOException {
    ModelConfig config = config(512, 32);
    Checkpoint weights = TinyModels.weights(config, DType.F32, random);
    Path one = directory.resolve("one.gguf");
    Path four = directory.resolve("four.gguf");
    toGguf(weights, config, one, QuantisationMix.Q4_K_M, 1);
    toGguf(weights, config, four, QuantisationMix.Q4_K_M, 4);
    assertThat(one).hasSameBinaryContentAs(four);
    assertThat(directory).isDirectoryNotContaining("glob:**.partial*");
  }

  @ParameterizedTest
  @CsvSource({"Q8_0, 0.01", "Q4_0, 0.12", "Q4_K_M, 0.09", "Q5_K_M, 0.05", "Q6_K, 0.03"})
  void quantisedModelsAreNearTheirOriginals(QuantisationMix mix, double limit, Random random)
      throws IOException {
    ModelConfig config = config(512, 32);
    Checkpoint weights = TinyModels.weights(config, DType.BF16, random);
    Path gguf = directory.resolve("model.gguf");
    toGguf(weights, config, gguf, mix, 2);
    Path back = Files.createDirectory(directory.resolve("back"));
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
      WeightNames.requireComplete(checkpoint, checkpoint.config());
      for (String name : weights.names()) {
        assertThat(checkpoint.tensor(name).dtype())
            .isEqualTo(mix.typeOf(name, config, QuantisationMix.Importance.UNKNOWN));
      }
      ModelConversion.of(checkpoint, config, 2, Progress.silent()).toDirectory(back, DType.F32);
    }
    try (SafetensorsCheckpoint read = SafetensorsCheckpoint.open(back)) {
      for (String name : weights.names()) {
        float[] expected = Precision.widen(weights.tensor(name));
        float[] found = Precision.widen(read.tensor(name));
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
          error += Math.pow(expected[i] - found[i], 2);
          size += Math.pow(expected[i], 2);
        }
        assertThat(Math.sqrt(error / size)).as(name).isLessThan(limit);
      }
    }
  }

  @Test
  void importanceOfInputsReachesTheRows(Random random) throws IOException {
    ModelConfig config = config(512, 32);
    Checkpoint weights = TinyModels.weights(config, DType.F32, random);
    String down = LayerWeight.DOWN.name(0);
    float[] importance = new float[512];
    for (int i = 0; i < importance.length; i++) {
      importance[i] = i % 8 == 0 ? 100 : 0.01f;
    }
    ImportanceMatrix matrix =
        ImportanceMatrixTest.of(directory, Map.of("blk.0.ffn_down.weight", importance));
    Path plain = directory.resolve("plain.gguf");
    Path weighted = directory.resolve("weighted.gguf");
    toGguf(weights, config, plain, QuantisationMix.Q4_K_M, 2);
    ModelConversion.of(weights, config, 2, Progress.silent())
        .toGguf(weighted, "x", Map.of(), QuantisationMix.Q4_K_M, Optional.of(matrix));
    assertThat(loss(weighted, weights, down, importance))
        .isLessThan(0.9 * loss(plain, weights, down, importance));
    String up = LayerWeight.UP.name(0);
    assertThat(loss(weighted, weights, up, importance))
        .isEqualTo(loss(plain, weights, up, importance));
  }

  private static double loss(Path file, Checkpoint weights, String name, float[] importance)
      throws IOException {
    float[] expected = Precision.widen(weights.tensor(name));
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
      float[] found = Precision.widen(checkpoint.tensor(name));
      double loss = 0;
      for (int i = 0; i < found.length; i++) {
        loss += importance[i % 512] * Math.pow(expected[i] - found[i], 2);
      }
      return loss;
    }
  }

  @Test
  void theReferenceModelBecomesTheFileThatOthersMadeOfIt() throws IOException {
    Path reference = SharedData.require("reference/stories260K-hf");
    Path expected = SharedData.require("reference/stories260K-f32.gguf");
    Path gguf = directory.resolve("model.gguf");
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(reference)) {
      toGguf(weights, ModelConfigFile.read(reference), gguf, QuantisationMix.F32, 2);
    }
    try (GgufCheckpoint ours = GgufCheckpoint.open(gguf);
        GgufCheckpoint theirs = GgufCheckpoint.open(expected)) {
      assertThat(ours.names()).containsExactlyInAnyOrderElementsOf(theirs.names());
      for (String name : theirs.names()) {
        assertThat(bytes(ours.tensor(name))).as(name).isEqualTo(bytes(theirs.tensor(name)));
      }
    }
  }

  @Test
  void whatCannotBeWrittenLeavesNoFile(Random random) throws IOException {
    ModelConfig config = config(512, 32);
    Checkpoint weights = TinyModels.weights(config, DType.F32, random);
    String up = LayerWeight.UP.name(0);
    for (float bad : new float[] {Float.NaN, 1e6f}) {
      MemorySegment data = MemorySegment.ofArray(bytes(weights.tensor(up)));
      data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (3 * 512 + 5), bad);
      List<TensorView> views = new ArrayList<>();
      for (String name : weights.names()) {
        TensorView view = weights.tensor(name);
        views.add(name.equals(up) ? TensorView.of(up, DType.F32, data, 512, 512) : view);
      }
      Checkpoint broken = MemoryCheckpoint.of("broken", views);
      Path gguf = directory.resolve("model.gguf");
      for (QuantisationMix mix : List.of(QuantisationMix.Q4_K_M, QuantisationMix.F16)) {
        if (mix == QuantisationMix.F16 && Float.isNaN(bad)) {
          continue;
        }
        assertThatThrownBy(() -> toGguf(broken, config, gguf, mix, 2))
            .isInstanceOf(CheckpointFormatException.class)
            .hasMessageStartingWith(up + ": row 3: ")
            .hasMessageContaining("cannot be written as " + mix.type());
      }
      assertThat(directory).isEmptyDirectory();
    }
  }

  private static void toGguf(
      Checkpoint weights, ModelConfig config, Path file, QuantisationMix mix, int threads)
      throws IOException {
    ModelConversion.of(weights, config, threads, Progress.silent())
        .toGguf(file, "tiny", Map.of("x.y", GgufValue.of(1)), mix, Optional.empty());
  }

  /// One block whose width no quantised type minds, with tied embeddings.
  static ModelConfig config(int width, int headDim) {
    return new ModelConfig(
        "mistral",
        TinyModels.VOCAB_SIZE,
        width,
        width,
        1,
        4,
        2,
        headDim,
        1e-5,
        10000,
        OptionalInt.empty(),
        99,
        true,
        OptionalInt.of(1),
        List.of(2, 3),
        0.02);
  }

  private static byte[] bytes(TensorView view) {
    return view.data().toArray(ValueLayout.JAVA_BYTE);
  }
}
