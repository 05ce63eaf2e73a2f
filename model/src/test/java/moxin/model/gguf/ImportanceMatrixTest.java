package moxin.model.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moxin.job.BadInputException;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.TensorSpec;
import moxin.model.WeightNames.LayerWeight;
import moxin.testing.Seeded;
import moxin.text.gguf.GgufValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Seeded
final class ImportanceMatrixTest {

  @TempDir Path directory;

  /// An importance matrix in GGUF, with sums over four rows; the file is gone when this returns.
  static ImportanceMatrix of(Path directory, Map<String, float[]> means) throws IOException {
    Path file = directory.resolve("imatrix.gguf");
    Map<String, float[]> tensors = new HashMap<>();
    means.forEach(
        (name, values) -> {
          float[] sums = values.clone();
          for (int i = 0; i < sums.length; i++) {
            sums[i] *= 4;
          }
          tensors.put(name + ".in_sum2", sums);
          tensors.put(name + ".counts", new float[] {4});
        });
    write(file, tensors);
    ImportanceMatrix matrix = ImportanceMatrix.read(file);
    Files.delete(file);
    return matrix;
  }

  private static void write(Path file, Map<String, float[]> tensors) throws IOException {
    List<TensorSpec> specs = new ArrayList<>();
    tensors.forEach((name, values) -> specs.add(TensorSpec.of(name, DType.F32, 1, values.length)));
    try (Arena arena = Arena.ofConfined()) {
      GgufWriter.write(
          file,
          Map.of("general.type", GgufValue.of("imatrix")),
          specs,
          (spec, sink) ->
              sink.put(arena.allocateFrom(ValueLayout.JAVA_FLOAT, tensors.get(spec.name()))));
    }
  }

  @Test
  void bothFormatsGiveTheMeans() throws IOException {
    String down = LayerWeight.DOWN.name(3);
    ImportanceMatrix matrix =
        of(directory, Map.of("blk.3.ffn_down.weight", new float[] {1, 2, 0.5f}));
    assertThat(matrix.of(down, 3).orElseThrow()).containsExactly(1, 2, 0.5f);
    assertThat(matrix.of(LayerWeight.DOWN.name(2), 3)).isEmpty();
    assertThatThrownBy(() -> matrix.of(down, 4))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("blk.3.ffn_down.weight: found 3 inputs, expected 4");
    Path old = Files.write(directory.resolve("imatrix.dat"), old());
    assertThat(ImportanceMatrix.read(old).of(down, 3).orElseThrow()).containsExactly(1, 2, 0.5f);
  }

  @Test
  void damagedFilesAreTypedErrors(Random random) throws IOException {
    Path file = directory.resolve("imatrix.dat");
    byte[] whole = old();
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = whole.clone();
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(3)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> Arrays.fill(bytes, at, Math.min(at + 4, bytes.length), (byte) 0xff);
        default -> bytes = Arrays.copyOf(bytes, at);
      }
      Files.write(file, bytes);
      Throwable thrown = catchThrowable(() -> ImportanceMatrix.read(file));
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(BadInputException.class);
        assertThat(thrown.getMessage()).doesNotContain("\n").hasSizeLessThan(1000);
      }
    }
    Path negative = directory.resolve("negative.gguf");
    write(negative, Map.of("a.in_sum2", new float[] {-1}, "a.counts", new float[] {1}));
    assertThatThrownBy(() -> ImportanceMatrix.read(negative))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("a: found -1.0, expected numbers from 0 up");
    write(negative, Map.of("a.in_sum2", new float[] {1}));
    assertThatThrownBy(() -> ImportanceMatrix.read(negative))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("no tensor a.counts");
  }

  /// Entries, then for each: name, calls, inputs, sums of means over the calls.
  private static byte[] old() {
    byte[] name = "blk.3.ffn_down.weight".getBytes(UTF_8);
    return ByteBuffer.allocate(4 + 4 + name.length + 4 + 4 + 12)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(1)
        .putInt(name.length)
        .put(name)
        .putInt(2)
        .putInt(3)
        .putFloat(2)
        .putFloat(4)
        .putFloat(1)
        .array();
  }
}
