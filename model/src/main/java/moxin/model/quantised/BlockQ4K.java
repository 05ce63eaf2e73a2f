package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q4_K: eight sub-blocks of 32 elements. An f16 d, an f16 dmin, 12 bytes of [SixBitPairs], then
/// 128 bytes; of each 32 of them the lower halves are one sub-block and the upper halves the next.
/// w = d · scale · q − dmin · min.
final class BlockQ4K extends BlockFormat {
  static final BlockQ4K INSTANCE = new BlockQ4K();

  private static final int SUB = 32;
  private static final int SUBS = 8;
  private static final int TOP = 15;
  private static final int SCALES_AT = 4;
  private static final int QUANTS_AT = SCALES_AT + SixBitPairs.BYTES;

  private BlockQ4K() {
    super(DType.Q4_K);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    float dmin = f16(data, offset + 2);
    for (int sub = 0; sub < SUBS; sub++) {
      float scale = d * SixBitPairs.scale(data, offset + SCALES_AT, sub);
      float min = dmin * SixBitPairs.min(data, offset + SCALES_AT, sub);
      long quants = offset + QUANTS_AT + (long) (sub / 2) * SUB;
      int shift = sub % 2 * 4;
      for (int l = 0; l < SUB; l++) {
        target[at + sub * SUB + l] = scale * ((u8(data, quants + l) >> shift) & 15) - min;
      }
    }
  }

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    int[] levels = SubBlockScales.write(row, at, importance, TOP, target, offset);
    for (int pair = 0; pair < SUBS / 2; pair++) {
      for (int l = 0; l < SUB; l++) {
        int low = levels[2 * pair * SUB + l];
        int high = levels[(2 * pair + 1) * SUB + l];
        put(target, offset + QUANTS_AT + (long) pair * SUB + l, low | (high << 4));
      }
    }
  }
}
