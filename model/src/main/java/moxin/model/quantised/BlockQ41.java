package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q4_1: an f16 d, an f16 m, then 16 bytes as in Q4_0. w = d · q + m.
final class BlockQ41 extends BlockFormat {
  static final BlockQ41 INSTANCE = new BlockQ41();

  private static final int HALF = 16;
  private static final int TOP = 15;

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

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    int[] levels = new int[2 * HALF];
    Rounding.Affine scales = Rounding.affine(row, at, importance, TOP, levels);
    target.set(F16, offset, Float.floatToFloat16(scales.d()));
    target.set(F16, offset + 2, Float.floatToFloat16(scales.m()));
    for (int j = 0; j < HALF; j++) {
      put(target, offset + 4 + j, levels[j] | (levels[HALF + j] << 4));
    }
  }
}
