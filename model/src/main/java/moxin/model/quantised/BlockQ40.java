package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q4_0: an f16 d, then 16 bytes; byte j holds element j in its lower and element j + 16 in its
/// upper half. w = d · (q − 8).
final class BlockQ40 extends BlockFormat {
  static final BlockQ40 INSTANCE = new BlockQ40();

  private static final int HALF = 16;
  private static final int ZERO = 8;

  private BlockQ40() {
    super(DType.Q4_0);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    for (int j = 0; j < HALF; j++) {
      int pair = u8(data, offset + 2 + j);
      target[at + j] = ((pair & 15) - ZERO) * d;
      target[at + HALF + j] = ((pair >> 4) - ZERO) * d;
    }
  }

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    int[] levels = new int[2 * HALF];
    float d = Rounding.symmetric(row, at, importance, ZERO, levels);
    target.set(F16, offset, Float.floatToFloat16(d));
    for (int j = 0; j < HALF; j++) {
      put(target, offset + 2 + j, levels[j] | (levels[HALF + j] << 4));
    }
  }
}
