package moxin.model.quantised;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Seeded
class NormalFloatTest {

  /// The construction of QLoRA's appendix E: quantiles of the normal distribution at equal steps
  /// from 1/2 to the mean of 1 − 1/32 and 1 − 1/30, eight above zero and seven below, relative to
  /// the greatest.
  @Test
  void levelsAreQuantilesOfTheNormalDistribution() {
    double edge = 1 - (1.0 / 32 + 1.0 / 30) / 2;
    double greatest = quantile(edge);
    for (int i = 0; i < 8; i++) {
      double above = quantile(edge + (0.5 - edge) * i / 8) / greatest;
      assertThat((double) NormalFloat.level(15 - i)).isCloseTo(above, within(1e-6));
    }
    for (int i = 0; i < 7; i++) {
      double below = -quantile(edge + (0.5 - edge) * i / 7) / greatest;
      assertThat((double) NormalFloat.level(i)).isCloseTo(below, within(1e-6));
    }
    assertThat(NormalFloat.level(7)).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 13, 32, 33, 64, 65, 257, 1024})
  void everyNumberBecomesTheNearestLevelOfItsBlock(int count) {
    Random random = new Random(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian(0, 1 + i / 64);
    }
    float[] found = roundTrip(values);
    for (int from = 0; from < count; from += NormalFloat.BLOCK) {
      int to = Math.min(count, from + NormalFloat.BLOCK);
      float scale = 0;
      for (int i = from; i < to; i++) {
        scale = Math.max(scale, Math.abs(values[i]));
      }
      for (int i = from; i < to; i++) {
        double nearest = Double.POSITIVE_INFINITY;
        for (int code = 0; code < 16; code++) {
          nearest = Math.min(nearest, Math.abs(values[i] - NormalFloat.level(code) * scale));
        }
        assertThat((double) Math.abs(found[i] - values[i]))
            .isCloseTo(nearest, within(1e-6 * scale));
      }
    }
    assertThat(roundTrip(found)).isEqualTo(found);
  }

  /// As bitsandbytes: the first of two neighbours in the upper half of the byte.
  @Test
  void bytesAreLaidOutAsBitsandbytesDoes() {
    byte[] codes = new byte[2];
    byte[] scales = new byte[4];
    NormalFloat.quantise(
        new float[] {2, -2, 0, 0.88142f},
        4,
        MemorySegment.ofArray(codes),
        MemorySegment.ofArray(scales),
        0);
    assertThat(codes).containsExactly(0xF0, 0x7C);
    assertThat(MemorySegment.ofArray(scales).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0)).isEqualTo(2);
  }

  @Test
  void zerosAndSubnormalsBecomeZero() {
    assertThat(roundTrip(new float[70])).containsOnly(0);
    assertThat(roundTrip(new float[] {Float.MIN_VALUE, -Float.MIN_VALUE})).containsOnly(0);
    assertThat(roundTrip(new float[] {Float.MAX_VALUE, -Float.MAX_VALUE}))
        .containsExactly(Float.MAX_VALUE, -Float.MAX_VALUE);
  }

  @Test
  void whatIsNotFiniteIsRefused() {
    for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> roundTrip(new float[] {1, wrong}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("NF4");
    }
    assertThatThrownBy(
            () ->
                NormalFloat.dequantise(
                    MemorySegment.ofArray(new byte[64]),
                    MemorySegment.ofArray(new byte[64]),
                    32,
                    new float[32],
                    32))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static float[] roundTrip(float[] values) {
    int count = values.length;
    MemorySegment codes = MemorySegment.ofArray(new byte[(int) NormalFloat.codeBytes(count)]);
    MemorySegment scales = MemorySegment.ofArray(new byte[(int) NormalFloat.scaleBytes(count)]);
    NormalFloat.quantise(values, count, codes, scales, 0);
    float[] found = new float[count];
    NormalFloat.dequantise(codes, scales, 0, found, count);
    return found;
  }

  /// The inverse of the normal distribution function, by bisection of its series.
  private static double quantile(double p) {
    double low = 0;
    double high = 6;
    for (int i = 0; i < 100; i++) {
      double x = (low + high) / 2;
      double term = x;
      double sum = x;
      for (int k = 1; k < 200; k++) {
        term *= x * x / (2 * k + 1);
        sum += term;
      }
      double distribution = 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      if (distribution < p) {
        low = x;
      } else {
        high = x;
      }
    }
    return low;
  }
}
