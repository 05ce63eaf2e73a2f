package moxin.model.quantised;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorView;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Blocks of random bytes against the numbers that llama.cpp's own Python reader finds in them;
/// `blocks.txt` says how they were made.
final class DequantisationGoldenTest {

  private record Golden(byte[] bytes, float[] floats) {}

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void numbersAreThoseOfGgmlToTheBit(DType type) throws IOException {
    List<Golden> blocks = goldens(type);
    assertThat(blocks).hasSize(2);
    for (Golden block : blocks) {
      assertThat(block.bytes).hasSize(type.blockByteSize());
      float[] found = new float[type.blockElements()];
      BlockFormat.of(type).dequantise(MemorySegment.ofArray(block.bytes), found);
      assertThat(found).containsExactly(block.floats);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void anyPartOfARowIsThatPartOfTheWhole(DType type) throws IOException {
    int n = type.blockElements();
    byte[] bytes = new byte[2 * type.blockByteSize() + 1];
    float[] whole = new float[2 * n];
    for (int i = 0; i < 2; i++) {
      Golden block = goldens(type).get(i);
      System.arraycopy(block.bytes, 0, bytes, 1 + i * type.blockByteSize(), block.bytes.length);
      System.arraycopy(block.floats, 0, whole, i * n, n);
    }
    TensorView view = TensorView.of("w", type, MemorySegment.ofArray(bytes).asSlice(1), 2, n);
    for (int from : new int[] {0, 1, 7, n - 1, n, n + 13}) {
      for (int count : new int[] {0, 1, 8, n - 1, n, 2 * n - from}) {
        if (from + count <= 2 * n) {
          float[] part = new float[count + 3];
          Precision.widen(view, from, part, 2, count);
          for (int i = 0; i < count; i++) {
            assertThat(part[2 + i]).isEqualTo(whole[from + i]);
          }
          assertThat(part[1]).isZero();
          assertThat(part[count + 2]).isZero();
        }
      }
    }
  }

  private static List<Golden> goldens(DType type) throws IOException {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(
                    DequantisationGoldenTest.class.getResourceAsStream("blocks.txt")),
                StandardCharsets.UTF_8))) {
      return in.lines()
          .filter(line -> line.startsWith(type.name() + " "))
          .map(line -> line.split(" "))
          .map(parts -> new Golden(HexFormat.of().parseHex(parts[1]), floats(parts[2])))
          .toList();
    }
  }

  private static float[] floats(String hex) {
    float[] floats = new float[hex.length() / 8];
    for (int i = 0; i < floats.length; i++) {
      floats[i] =
          Float.intBitsToFloat(Integer.parseUnsignedInt(hex.substring(8 * i, 8 * i + 8), 16));
    }
    return floats;
  }
}
