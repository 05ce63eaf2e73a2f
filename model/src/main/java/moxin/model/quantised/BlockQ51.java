package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q5_1: an f16 d, an f16 m, the fifth bits and 16 bytes as in Q5_0. w = d · q + m.
final class BlockQ51 extends BlockFormat {
  static final BlockQ51 INSTANCE = new BlockQ51();

  private static final int HALF = 16;
  private static final int TOP = 31;

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

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    int[] levels = new int[2 * HALF];
    Rounding.Affine scales = Rounding.affine(row, at, importance, TOP, levels);
    target.set(F16, offset, Float.floatToFloat16(scales.d()));
    target.set(F16, offset + 2, Float.floatToFloat16(scales.m()));
    target.set(FifthBits.LAYOUT, offset + 4, FifthBits.word(levels));
    for (int j = 0; j < HALF; j++) {
      put(target, offset + 8 + j, (levels[j] & 15) | ((levels[HALF + j] & 15) << 4));
    }
  }
}
