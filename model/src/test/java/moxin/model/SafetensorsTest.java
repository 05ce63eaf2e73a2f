package moxin.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Seeded
final class SafetensorsTest {

  @TempDir Path directory;

  @Test
  void writtenTensorsReadBackInEveryType(Random random) throws IOException {
    List<TensorView> tensors = new ArrayList<>();
    for (DType dtype : DType.values()) {
      if (dtype.isQuantised()) {
        continue;
      }
      tensors.add(random(dtype.name(), dtype, random, 7, 13));
      tensors.add(random(dtype.name() + " scalar", dtype, random));
      tensors.add(random(dtype.name() + " empty", dtype, random, 3, 0));
    }
    Path file = directory.resolve("all.safetensors");
    Map<String, String> metadata = Map.of("format", "pt", "step", "„1“");
    SafetensorsWriter.write(file, tensors, metadata);
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(file)) {
      assertThat(checkpoint.metadata()).isEqualTo(metadata);
      assertThat(checkpoint.names()).hasSize(tensors.size());
      tensors.forEach(tensor -> assertSame(checkpoint.tensor(tensor.name()), tensor));
      assertThatThrownBy(() -> checkpoint.tensor("none"))
          .isInstanceOf(CheckpointFormatException.class)
          .hasMessageContaining("no tensor none");
    }
  }

  @Test
  void sameTensorsGiveTheSameBytesFromHeapAndNativeMemory(Random random) throws IOException {
    float[] values = new float[1 << 19];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    MemorySegment heap = MemorySegment.ofArray(values);
    MemorySegment bytes = MemorySegment.ofBuffer(ByteBuffer.allocateDirect(values.length * 4));
    bytes.copyFrom(heap);
    Path one = directory.resolve("one");
    Path two = directory.resolve("two");
    SafetensorsWriter.write(
        one, List.of(TensorView.of("w", DType.F32, heap, values.length)), Map.of());
    SafetensorsWriter.write(
        two, List.of(TensorView.of("w", DType.F32, bytes, values.length)), Map.of());
    assertThat(one).hasSameBinaryContentAs(two);
  }

  @Test
  void shardsHoldTheSameTensorsAsOneFile(Random random) throws IOException {
    ModelConfig config = TinyModels.config(OptionalInt.of(8));
    Checkpoint weights = TinyModels.weights(config, DType.BF16, random);
    List<TensorSpec> specs = WeightNames.specs(config, DType.BF16);
    Map<String, String> metadata = Map.of("format", "pt");
    SafetensorsWriter.writeSharded(
        directory, specs, metadata, 5000, spec -> weights.tensor(spec.name()));
    assertThat(directory.resolve(SafetensorsCheckpoint.INDEX_NAME)).exists();
    assertThat(directory.resolve(SafetensorsCheckpoint.FILE_NAME)).doesNotExist();
    assertHolds(weights, config);

    SafetensorsWriter.writeSharded(
        directory, specs, metadata, 1 << 20, spec -> weights.tensor(spec.name()));
    assertThat(directory.resolve(SafetensorsCheckpoint.INDEX_NAME)).doesNotExist();
    assertHolds(weights, config);
  }

  private void assertHolds(Checkpoint weights, ModelConfig config) throws IOException {
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(directory)) {
      WeightNames.requireComplete(checkpoint, config);
      assertThat(checkpoint.names()).isEqualTo(weights.names());
      weights.names().forEach(n -> assertSame(checkpoint.tensor(n), weights.tensor(n)));
    }
  }

  @Test
  void indexThatLiesIsAnError(Random random) throws IOException {
    SafetensorsWriter.write(
        directory.resolve("a.safetensors"), List.of(random("a", DType.F32, random, 3)), Map.of());
    SafetensorsWriter.write(
        directory.resolve("b.safetensors"), List.of(random("b", DType.F32, random, 3)), Map.of());
    assertIndexFails("{\"a\": \"a.safetensors\", \"b\": \"a.safetensors\"}", "b is not in");
    assertIndexFails("{\"a\": \"b.safetensors\", \"b\": \"a.safetensors\"}", "is not in");
    assertIndexFails("{\"a\": \"../a.safetensors\"}", "names no file beside the index");
    assertIndexFails("{\"a\": \"/etc/passwd\"}", "names no file beside the index");
    assertIndexFails("{\"a\": \"c.safetensors\"}", "no such file");
    assertIndexFails("{\"a\": 1}", "names no file beside the index");
    assertIndexFails("{}", "weight_map is missing or empty");
  }

  private void assertIndexFails(String weightMap, String message) throws IOException {
    Files.writeString(
        directory.resolve(SafetensorsCheckpoint.INDEX_NAME), "{\"weight_map\": " + weightMap + "}");
    assertFails(directory, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}        | expected 8 bytes
          {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}       | 12 bytes of data
          {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}        | 4 bytes of data
          {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}        | beyond the one
          {"a": {"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}}        | beginning and an end
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}       | from 0 up
          {"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}       | from 0 up
          {"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}}      | whole numbers
          {"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 8]}} | too large
          {"a": {"dtype": "F32", "shape": [9223372036854775808], "data_offsets": [0, 8]}} | below 2^63
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8, 9]}}     | at most 2
          {"a": {"dtype": "Q4", "shape": [2], "data_offsets": [0, 8]}}         | dtype Q4
          {"a": {"dtype": "F32", "data_offsets": [0, 8]}}                      | dtype, shape and
          {"a": 1}                                                             | an object
          {"__metadata__": {"a": 1}}                                           | object of strings
          {}                                                                   | 0 bytes of data
          []                                                                   | begins with {
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}} {}     | nothing after
          {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}         | header
          """)
  void headerThatLiesIsOneLine(String header, String message) throws IOException {
    Path file = directory.resolve("lie.safetensors");
    Files.write(file, file(header, 8));
    assertFails(file, message);
  }

  @Test
  void duplicatesAndOverlapsAreErrors() throws IOException {
    String a = "\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}";
    Path file = directory.resolve("lie.safetensors");
    Files.write(file, file("{" + a + ", " + a + "}", 4));
    assertFails(file, "Duplicate");
    Files.write(file, file("{" + a + ", " + a.replace("\"a\"", "\"b\"") + "}", 4));
    assertFails(file, "inside the one before");
  }

  @Test
  void headerLongerThanTheFileOrTheLimitIsAnError() throws IOException {
    Path file = directory.resolve("lie.safetensors");
    for (long length : new long[] {9, 100_000_001L, Long.MAX_VALUE, -1}) {
      Files.write(
          file, ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array());
      assertFails(file, "byte 0: header of " + Long.toUnsignedString(length));
    }
    Files.write(file, new byte[7]);
    assertFails(file, "7 bytes are no safetensors file");
    assertFails(directory.resolve("absent"), "no such file");
    assertFails(directory, "neither model.safetensors nor");
  }

  @Test
  void missingAndMisshapenWeightsAreNamed(Random random) {
    ModelConfig config = TinyModels.config(OptionalInt.empty());
    Checkpoint weights = TinyModels.weights(config, DType.F32, random);
    String down = WeightNames.LayerWeight.DOWN.name(1);
    assertThatThrownBy(() -> requireCompleteWith(weights, config, Map.of()))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining(WeightNames.EMBEDDING);
    Map<String, TensorView> tensors = new LinkedHashMap<>();
    weights.names().forEach(name -> tensors.put(name, weights.tensor(name)));
    tensors.put(down, random(down, DType.F32, random, 45, 30));
    assertThatThrownBy(() -> requireCompleteWith(weights, config, tensors))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining(down + " has shape [45, 30], the configuration asks for [30, 45]");
    tensors.put(down, random(down, DType.I32, random, 30, 45));
    assertThatThrownBy(() -> requireCompleteWith(weights, config, tensors))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining(down + " is of I32");
  }

  private static void requireCompleteWith(
      Checkpoint weights, ModelConfig config, Map<String, TensorView> tensors) {
    WeightNames.requireComplete(
        MemoryCheckpoint.of(weights.origin(), List.copyOf(tensors.values())), config);
  }

  @Test
  void failedWriteLeavesTheOldFileAlone(Random random) throws IOException {
    Path file = directory.resolve("model.safetensors");
    TensorView tensor = random("w", DType.F32, random, 33);
    SafetensorsWriter.write(file, List.of(tensor), Map.of());
    byte[] before = Files.readAllBytes(file);
    assertThatThrownBy(
            () ->
                SafetensorsWriter.write(
                    file,
                    List.of(TensorSpec.of("w", DType.F32, 34)),
                    Map.of(),
                    _ -> {
                      throw new IOException("no space left");
                    }))
        .isInstanceOf(IOException.class);
    assertThatThrownBy(
            () ->
                SafetensorsWriter.write(
                    file, List.of(TensorSpec.of("w", DType.F32, 34)), Map.of(), _ -> tensor))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(tensor, tensor), Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(file).hasBinaryContent(before);
    assertThat(directory).isDirectoryNotContaining("glob:**.partial*");
  }

  @Test
  void referenceModelsAreWhole() throws IOException {
    for (String name : List.of("reference/stories260K-hf", "checkpoints/verl-arithmetic-llama")) {
      Path model = SharedData.require(name);
      ModelConfig config = ModelConfigFile.read(model);
      try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(model)) {
        WeightNames.requireComplete(checkpoint, config);
        long parameters =
            checkpoint.names().stream().mapToLong(n -> checkpoint.tensor(n).elements()).sum();
        assertThat(parameters).isEqualTo(config.parameterCount());
        assertThat(checkpoint.metadata()).containsEntry("format", "pt");
      }
    }
  }

  static void assertFails(Path path, String message) {
    assertThatThrownBy(() -> SafetensorsCheckpoint.open(path).close())
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining(message)
        .hasMessageStartingWith(path.toString())
        .hasMessageNotContaining("\n");
  }

  static byte[] file(String header, int dataBytes) {
    byte[] json = header.getBytes(UTF_8);
    return ByteBuffer.allocate(8 + json.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .array();
  }

  static TensorView random(String name, DType dtype, Random random, long... shape) {
    byte[] bytes = new byte[(int) TensorSpec.of(name, dtype, shape).byteSize()];
    random.nextBytes(bytes);
    return TensorView.of(name, dtype, MemorySegment.ofArray(bytes), shape);
  }

  private static void assertSame(TensorView actual, TensorView expected) {
    assertThat(TensorSpec.of(actual)).isEqualTo(TensorSpec.of(expected));
    assertThat(actual.data().toArray(ValueLayout.JAVA_BYTE))
        .isEqualTo(expected.data().toArray(ValueLayout.JAVA_BYTE));
  }
}
