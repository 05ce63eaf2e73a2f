package moxin.model.quantised;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import moxin.model.DType;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Seeded
final class QuantisationTest {

  @ParameterizedTest
  @ValueSource(strings = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"})
  void plainBlocksAreThoseOfGgmlToTheBit(String name) throws IOException {
    BlockFormat format = BlockFormat.of(DType.valueOf(name));
    List<String[]> rows = rows(name);
    assertThat(rows).hasSize(3);
    for (String[] row : rows) {
      float[] values = new float[row[1].length() / 8];
      for (int i = 0; i < values.length; i++) {
        String hex = row[1].substring(8 * i, 8 * i + 8);
        values[i] = Float.intBitsToFloat(Integer.parseUnsignedInt(hex, 16));
      }
      assertThat(HexFormat.of().formatHex(quantised(format, values))).isEqualTo(row[2]);
    }
  }

  /// The limits are what the formats reach on normal numbers, with some to spare.
  @ParameterizedTest
  @CsvSource({
    "Q4_0, 0.101",
    "Q4_1, 0.087",
    "Q5_0, 0.049",
    "Q5_1, 0.043",
    "Q8_0, 0.0062",
    "Q4_K, 0.077",
    "Q5_K, 0.038",
    "Q6_K, 0.0205"
  })
  void normalNumbersLoseLittle(DType type, double limit) {
    Random random = new Random(5);
    float[] row = normal(random, 256 * 64, 0.02);
    double error = relativeError(row, roundTrip(type, row));
    assertThat(error).isLessThan(limit).isGreaterThan(limit * 0.8);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_K", "Q5_K"})
  void theSearchBeatsRoundingBetweenLeastAndGreatest(DType type, Random random) {
    int top = type == DType.Q4_K ? 15 : 31;
    float[] row = normal(random, 256 * 32, 1);
    float[] naive = new float[row.length];
    for (int at = 0; at < row.length; at += 32) {
      float[] block = Arrays.copyOfRange(row, at, at + 32);
      Arrays.sort(block);
      float step = (block[31] - block[0]) / top;
      for (int i = at; i < at + 32; i++) {
        naive[i] = (float) (Math.rint((row[i] - block[0]) / step) * step) + block[0];
      }
    }
    // The naive blocks keep their scales in full, those of the format have six bits.
    assertThat(relativeError(row, roundTrip(type, row))).isLessThan(relativeError(row, naive));
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
  void importantElementsLoseLess(DType type, Random random) {
    float[] row = normal(random, 256 * 16, 0.5);
    float[] importance = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      importance[i] = random.nextInt(8) == 0 ? 50 : 0.1f;
    }
    byte[] bytes = new byte[(int) type.byteSize(row.length)];
    BlockFormat.of(type).quantise(row, importance, MemorySegment.ofArray(bytes));
    float[] weighted = new float[row.length];
    BlockFormat.of(type).dequantise(MemorySegment.ofArray(bytes), weighted);
    float[] plain = roundTrip(type, row);
    double lossWeighted = 0;
    double lossPlain = 0;
    for (int i = 0; i < row.length; i++) {
      lossWeighted += importance[i] * Math.pow(row[i] - weighted[i], 2);
      lossPlain += importance[i] * Math.pow(row[i] - plain[i], 2);
    }
    assertThat(lossWeighted).isLessThan(0.9 * lossPlain);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void strangeRowsStayFiniteAndNear(DType type, Random random) {
    int n = 512;
    float[] zeros = new float[n];
    for (float value : roundTrip(type, zeros)) {
      assertThat(value == 0).isTrue();
    }
    float[] importance = new float[n];
    byte[] bytes = new byte[(int) type.byteSize(n)];
    for (float constant : new float[] {1, -1, 65504, -65504, 1e-3f, -1e-3f}) {
      float[] row = new float[n];
      Arrays.fill(row, constant);
      for (float value : roundTrip(type, row)) {
        assertThat(value)
            .isBetween(
                Math.min(0.96f * constant, 1.04f * constant),
                Math.max(0.96f * constant, 1.04f * constant));
      }
      // No input was ever seen.
      BlockFormat.of(type).quantise(row, importance, MemorySegment.ofArray(bytes));
      float[] back = new float[n];
      BlockFormat.of(type).dequantise(MemorySegment.ofArray(bytes), back);
      assertThat(relativeError(row, back)).isLessThan(0.05);
    }
    float[] lonely = new float[n];
    lonely[n / 2 + 3] = -7;
    float[] found = roundTrip(type, lonely);
    assertThat(found[n / 2 + 3]).isBetween(-7.3f, -6.7f);
    assertThat(relativeError(lonely, found)).isLessThan(0.05);
    float[] tiny = normal(random, n, 1e-12);
    tiny[3] = Float.MIN_VALUE;
    for (float value : roundTrip(type, tiny)) {
      assertThat(Math.abs(value)).isLessThan(1e-7f);
    }
    float[] positive = normal(random, n, 1);
    for (int i = 0; i < n; i++) {
      positive[i] = 10 + Math.abs(positive[i]);
    }
    assertThat(relativeError(positive, roundTrip(type, positive))).isLessThan(0.05);
  }

  @Test
  void numbersThatCannotBeWrittenAreRefused() {
    BlockFormat format = BlockFormat.of(DType.Q4_K);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -70000}) {
      float[] row = new float[256];
      row[255] = bad;
      assertThatThrownBy(() -> quantised(format, row))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cannot be written as Q4_K");
    }
    assertThatThrownBy(() -> quantised(format, new float[32]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no whole number of blocks");
  }

  private static List<String[]> rows(String type) throws IOException {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(QuantisationTest.class.getResourceAsStream("rows.txt")),
                StandardCharsets.UTF_8))) {
      return in.lines()
          .filter(line -> line.startsWith(type + " "))
          .map(line -> line.split(" "))
          .toList();
    }
  }

  private static float[] normal(Random random, int count, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }

  private static float[] roundTrip(DType type, float[] row) {
    float[] back = new float[row.length];
    byte[] bytes = quantised(BlockFormat.of(type), row);
    BlockFormat.of(type).dequantise(MemorySegment.ofArray(bytes), back);
    return back;
  }

  private static byte[] quantised(BlockFormat format, float[] row) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) format.type().byteSize(row.length)]);
    format.quantise(row, bytes);
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  private static double relativeError(float[] expected, float[] found) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      error += Math.pow((double) expected[i] - found[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(error / size);
  }
}
