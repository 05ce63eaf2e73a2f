package moxin.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Seeded
final class PrecisionTest {

  @Test
  void everyBf16SurvivesWideningAndNarrowing() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Precision.bf16ToFloat((short) bits);
      short back = Precision.floatToBf16(value);
      assertThat(
              Float.isNaN(value) ? Float.isNaN(Precision.bf16ToFloat(back)) : back == (short) bits)
          .isTrue();
    }
  }

  @Test
  void bf16RoundsToNearestAndTiesToEven() {
    assertThat(Precision.floatToBf16(Float.intBitsToFloat(0x3F80_8000))).isEqualTo((short) 0x3F80);
    assertThat(Precision.floatToBf16(Float.intBitsToFloat(0x3F80_8001))).isEqualTo((short) 0x3F81);
    assertThat(Precision.floatToBf16(Float.intBitsToFloat(0x3F81_8000))).isEqualTo((short) 0x3F82);
    assertThat(Precision.floatToBf16(Float.intBitsToFloat(0x3F80_7FFF))).isEqualTo((short) 0x3F80);
    assertThat(Precision.bf16ToFloat(Precision.floatToBf16(Float.MAX_VALUE)))
        .isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Precision.bf16ToFloat(Precision.floatToBf16(Float.intBitsToFloat(0x7F80_0001))))
        .isNaN();
    assertThat(Precision.floatToBf16(-0f)).isEqualTo((short) 0x8000);
  }

  @Test
  void bf16IsTheNearestOfItsNeighbours(Random random) {
    for (int i = 0; i < 10_000; i++) {
      float value = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(20) - 10));
      short bits = Precision.floatToBf16(value);
      double error = Math.abs((double) Precision.bf16ToFloat(bits) - value);
      for (int neighbour = -1; neighbour <= 1; neighbour += 2) {
        float other = Precision.bf16ToFloat((short) (bits + neighbour));
        assertThat(Math.abs((double) other - value)).isGreaterThanOrEqualTo(error);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "F16", "BF16"})
  void narrowedNumbersWidenBack(DType dtype, Random random) {
    float[] values = new float[257];
    for (int i = 0; i < values.length; i++) {
      values[i] = Precision.bf16ToFloat((short) (0x3F00 + random.nextInt(64)));
    }
    MemorySegment bytes = MemorySegment.ofArray(new byte[257 * dtype.byteSize() + 1]);
    MemorySegment unaligned = bytes.asSlice(1);
    Precision.narrow(values, dtype, unaligned);
    TensorView view = TensorView.of("w", dtype, unaligned, 257);
    assertThat(Precision.widen(view)).isEqualTo(values);
    float[] part = new float[9];
    Precision.widen(view, 100, part, 1, 7);
    assertThat(part).containsSequence(values[100], values[101]).startsWith(0f).endsWith(0f);
  }

  @Test
  void integersAreNoWeights() {
    TensorView ids = TensorView.of("ids", DType.I32, MemorySegment.ofArray(new byte[8]), 2);
    assertThatThrownBy(() -> Precision.widen(ids))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("ids");
  }
}
