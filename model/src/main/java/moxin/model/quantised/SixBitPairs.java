package moxin.model.quantised;

import java.lang.foreign.MemorySegment;

/// The eight scales and eight minima of Q4_K and Q5_K, six bits each, in twelve bytes: bytes 0 to 3
/// hold scales 0 to 3 and bytes 4 to 7 minima 0 to 3 in their lower six bits; bytes 8 to 11 hold
/// the lower halves of scales and of minima 4 to 7, whose upper two bits are the upper two bits of
/// bytes 0 to 3 and of bytes 4 to 7.
final class SixBitPairs {
  static final int BYTES = 12;
  static final int MAX = 63;

  private static final int HALF = 4;

  private SixBitPairs() {}

  static int scale(MemorySegment data, long offset, int sub) {
    return sub < HALF
        ? BlockFormat.u8(data, offset + sub) & MAX
        : (BlockFormat.u8(data, offset + HALF + sub) & 15)
            | ((BlockFormat.u8(data, offset + sub - HALF) >> 6) << 4);
  }

  static int min(MemorySegment data, long offset, int sub) {
    return sub < HALF
        ? BlockFormat.u8(data, offset + HALF + sub) & MAX
        : (BlockFormat.u8(data, offset + HALF + sub) >> 4)
            | ((BlockFormat.u8(data, offset + sub) >> 6) << 4);
  }

  static void write(int[] scales, int[] mins, MemorySegment data, long offset) {
    for (int sub = 0; sub < HALF; sub++) {
      int scaleHigh = scales[sub + HALF] >> 4;
      int minHigh = mins[sub + HALF] >> 4;
      data.set(BlockFormat.BYTE, offset + sub, (byte) (scales[sub] | (scaleHigh << 6)));
      data.set(BlockFormat.BYTE, offset + HALF + sub, (byte) (mins[sub] | (minHigh << 6)));
      data.set(
          BlockFormat.BYTE,
          offset + 2 * HALF + sub,
          (byte) ((scales[sub + HALF] & 15) | ((mins[sub + HALF] & 15) << 4)));
    }
  }
}
