package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q5_K: as Q4_K, with 32 bytes between scales and halves: bit s of byte l is the fifth bit of
/// element l of sub-block s. w = d · scale · q − dmin · min.
final class BlockQ5K extends BlockFormat {
  static final BlockQ5K INSTANCE = new BlockQ5K();

  private static final int SUB = 32;
  private static final int SUBS = 8;
  private static final int TOP = 31;
  private static final int SCALES_AT = 4;
  private static final int HIGH_AT = SCALES_AT + SixBitPairs.BYTES;
  private static final int LOW_AT = HIGH_AT + SUB;

  private BlockQ5K() {
    super(DType.Q5_K);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    float dmin = f16(data, offset + 2);
    for (int sub = 0; sub < SUBS; sub++) {
      float scale = d * SixBitPairs.scale(data, offset + SCALES_AT, sub);
      float min = dmin * SixBitPairs.min(data, offset + SCALES_AT, sub);
      long low = offset + LOW_AT + (long) (sub / 2) * SUB;
      int shift = sub % 2 * 4;
      for (int l = 0; l < SUB; l++) {
        int fifth = ((u8(data, offset + HIGH_AT + l) >> sub) & 1) << 4;
        target[at + sub * SUB + l] = scale * (fifth + ((u8(data, low + l) >> shift) & 15)) - min;
      }
    }
  }

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    int[] levels = SubBlockScales.write(row, at, importance, TOP, target, offset);
    for (int l = 0; l < SUB; l++) {
      int fifths = 0;
      for (int sub = 0; sub < SUBS; sub++) {
        fifths |= (levels[sub * SUB + l] >> 4) << sub;
      }
      put(target, offset + HIGH_AT + l, fifths);
      for (int pair = 0; pair < SUBS / 2; pair++) {
        int low = levels[2 * pair * SUB + l] & 15;
        int high = levels[(2 * pair + 1) * SUB + l] & 15;
        put(target, offset + LOW_AT + (long) pair * SUB + l, low | (high << 4));
      }
    }
  }
}
