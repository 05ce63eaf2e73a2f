package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;

/// Q5_0: an f16 d, 32 bits of which bit i is the fifth bit of element i, then 16 bytes as in Q4_0.
/// w = d · (q − 16).
final class BlockQ50 extends BlockFormat {
  static final BlockQ50 INSTANCE = new BlockQ50();

  private static final int HALF = 16;
  private static final int ZERO = 16;

  private BlockQ50() {
    super(DType.Q5_0);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    int high = data.get(FifthBits.LAYOUT, offset + 2);
    for (int j = 0; j < HALF; j++) {
      int pair = u8(data, offset + 6 + j);
      target[at + j] = (FifthBits.of(high, j) + (pair & 15) - ZERO) * d;
      target[at + HALF + j] = (FifthBits.of(high, HALF + j) + (pair >> 4) - ZERO) * d;
    }
  }
}
