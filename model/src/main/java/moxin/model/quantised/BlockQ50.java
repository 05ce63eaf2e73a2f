package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

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

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    int[] levels = new int[2 * HALF];
    float d = Rounding.symmetric(row, at, importance, ZERO, levels);
    target.set(F16, offset, Float.floatToFloat16(d));
    target.set(FifthBits.LAYOUT, offset + 2, FifthBits.word(levels));
    for (int j = 0; j < HALF; j++) {
      put(target, offset + 6 + j, (levels[j] & 15) | ((levels[HALF + j] & 15) << 4));
    }
  }
}
