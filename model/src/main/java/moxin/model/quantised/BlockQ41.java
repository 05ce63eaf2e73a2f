package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;

/// Q4_1: an f16 d, an f16 m, then 16 bytes as in Q4_0. w = d · q + m.
final class BlockQ41 extends BlockFormat {
  static final BlockQ41 INSTANCE = new BlockQ41();

  private static final int HALF = 16;

  private BlockQ41() {
    super(DType.Q4_1);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    float m = f16(data, offset + 2);
    for (int j = 0; j < HALF; j++) {
      int pair = u8(data, offset + 4 + j);
      target[at + j] = (pair & 15) * d + m;
      target[at + HALF + j] = (pair >> 4) * d + m;
    }
  }
}
