package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;

/// Q5_1: an f16 d, an f16 m, the fifth bits and 16 bytes as in Q5_0. w = d · q + m.
final class BlockQ51 extends BlockFormat {
  static final BlockQ51 INSTANCE = new BlockQ51();

  private static final int HALF = 16;

  private BlockQ51() {
    super(DType.Q5_1);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    float m = f16(data, offset + 2);
    int high = data.get(FifthBits.LAYOUT, offset + 4);
    for (int j = 0; j < HALF; j++) {
      int pair = u8(data, offset + 8 + j);
      target[at + j] = (FifthBits.of(high, j) + (pair & 15)) * d + m;
      target[at + HALF + j] = (FifthBits.of(high, HALF + j) + (pair >> 4)) * d + m;
    }
  }
}
