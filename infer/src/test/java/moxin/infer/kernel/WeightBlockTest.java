package moxin.infer.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// Blocks written down by hand from ggml's definitions.
final class WeightBlockTest {

  private final byte[] bytes = new byte[256];

  @Test
  void q8IsScaleTimesByte() {
    half(0, 0.5f);
    set(2, -128, 127, 3);
    float[] weights = dequantise(WeightFormat.Q8_0);
    assertThat(weights).startsWith(-64f, 63.5f, 1.5f, 0f);
  }

  @Test
  void q4TakesLowerNibblesFirstAndSubtractsEight() {
    half(0, -2f);
    set(2, 0xf0, 0x9a);
    float[] weights = dequantise(WeightFormat.Q4_0);
    assertThat(weights[0]).isEqualTo(16f);
    assertThat(weights[1]).isEqualTo(-4f);
    assertThat(weights[2]).isEqualTo(16f);
    assertThat(weights[16]).isEqualTo(-14f);
    assertThat(weights[17]).isEqualTo(-2f);
  }

  /// Scales 1 to 3 and 63 in the lower bits; group 4's scale is 0x2a: nibble a, upper bits 2 above
  /// group 0's scale; group 4's minimum is 0x15: nibble 5, upper bits 1 above group 0's minimum.
  @Test
  void q4KScalesAndMinimaArePackedInTwelveBytes() {
    half(0, 1f);
    half(2, 0.5f);
    set(4, 2 << 6 | 1, 2, 3, 63, 1 << 6 | 8, 9, 10, 11, 0x5a, 0, 0, 0xff);
    set(16, 0x21);
    set(16 + 64, 0x43);
    float[] weights = dequantise(WeightFormat.Q4_K);
    assertThat(weights[0]).isEqualTo(1f * 1 - 4f);
    assertThat(weights[1]).isEqualTo(-4f);
    assertThat(weights[32]).isEqualTo(2f * 2 - 4.5f);
    assertThat(weights[64]).isEqualTo(-5f);
    assertThat(weights[96]).isEqualTo(-5.5f);
    assertThat(weights[128]).isEqualTo(3f * 0x2a - 0.5f * 0x15);
    assertThat(weights[160]).isEqualTo(0f);
    assertThat(weights[255]).isEqualTo(-0.5f * 15);
  }

  @Test
  void q5KAddsAFifthBitOfItsGroup() {
    half(0, 1f);
    set(4, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1);
    set(16, 0b1000_0010, 0b0000_0001);
    set(48, 0x73);
    float[] weights = dequantise(WeightFormat.Q5_K);
    assertThat(weights[0]).isEqualTo(3f);
    assertThat(weights[1]).isEqualTo(16f);
    assertThat(weights[32]).isEqualTo(7f + 16f);
    assertThat(weights[33]).isEqualTo(0f);
    assertThat(weights[224]).isEqualTo(16f);
  }

  @Test
  void q6KTakesFourBitsHereAndTwoThere() {
    half(208, 0.25f);
    set(0, 0x5b);
    set(32, 0xc7);
    set(64, 0x0f);
    set(128, 0b11_10_01_00);
    set(160, 0b00_00_00_11);
    for (int group = 0; group < 16; group++) {
      bytes[192 + group] = (byte) (group % 2 == 0 ? 4 : -4);
    }
    bytes[192 + 8] = -128;
    float[] weights = dequantise(WeightFormat.Q6_K);
    assertThat(weights[0]).isEqualTo(11f - 32);
    assertThat(weights[32]).isEqualTo(16f + 7 - 32);
    assertThat(weights[64]).isEqualTo(32f + 5 - 32);
    assertThat(weights[96]).isEqualTo(48f + 12 - 32);
    assertThat(weights[16]).isEqualTo(32f);
    assertThat(weights[128]).isEqualTo(-32f * (48 + 15 - 32));
  }

  @Test
  void formatsWithoutBlocksAreRefused() {
    assertThatThrownBy(() -> new WeightBlock(WeightFormat.BF16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("BF16");
  }

  private float[] dequantise(WeightFormat format) {
    float[] weights = new float[format.blockElements()];
    WeightBlock block = new WeightBlock(format);
    block.read(MemorySegment.ofArray(bytes), 0);
    block.dequantise(weights, 0);
    return weights;
  }

  private void half(int at, float value) {
    short half = Float.floatToFloat16(value);
    set(at, half, half >> 8);
  }

  private void set(int at, int... values) {
    for (int i = 0; i < values.length; i++) {
      bytes[at + i] = (byte) values[i];
    }
  }
}
