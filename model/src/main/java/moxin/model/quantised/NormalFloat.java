package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// NF4, the 4-bit type of QLoRA (Dettmers et al. 2023, appendix E) as bitsandbytes stores it:
/// blocks of 64 neighbouring numbers share an fp32 scale, their greatest magnitude; each is the
/// nearest of sixteen levels, which are as dense as a normal distribution. Byte j holds number 2j
/// in its upper and 2j + 1 in its lower half. The last block may be shorter. Stateless and
/// thread-safe.
public final class NormalFloat {

  /// How many numbers share a scale.
  public static final int BLOCK = 64;

  private static final float[] LEVELS = {
    -1.0f,
    -0.6961928f,
    -0.52507305f,
    -0.3949175f,
    -0.28444138f,
    -0.18477343f,
    -0.091050036f,
    0.0f,
    0.0795803f,
    0.1609302f,
    0.2461123f,
    0.33791524f,
    0.44070983f,
    0.562617f,
    0.72295684f,
    1.0f
  };
  private static final int ZERO = 7;
  private static final ValueLayout.OfFloat SCALE =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// The middles between neighbouring levels, and beyond the last.
  private static final float[] BOUNDS = new float[LEVELS.length];

  /// [−1, 1] in bins so narrow that at most one bound is in each, and the lowest code in each; the
  /// last two bins are for what rounding leaves at or above 1.
  private static final int BINS_PER_UNIT = 128;

  private static final byte[] LOWEST = new byte[2 * BINS_PER_UNIT + 2];

  static {
    for (int i = 0; i + 1 < LEVELS.length; i++) {
      BOUNDS[i] = (float) (((double) LEVELS[i] + LEVELS[i + 1]) / 2);
    }
    BOUNDS[LEVELS.length - 1] = Float.POSITIVE_INFINITY;
    for (int bin = 0; bin < LOWEST.length; bin++) {
      // Half a bin lower, so that rounding cannot put a number above its code.
      float least = (bin - 0.5f) / BINS_PER_UNIT - 1;
      while (least > BOUNDS[LOWEST[bin]]) {
        LOWEST[bin]++;
      }
    }
  }

  private NormalFloat() {}

  /// The level of `code`, in [0, 16).
  public static float level(int code) {
    return LEVELS[code];
  }

  /// Bytes of the codes of `elements` numbers.
  public static long codeBytes(long elements) {
    return (elements + 1) / 2;
  }

  /// Bytes of the scales of `elements` numbers.
  public static long scaleBytes(long elements) {
    return (elements + BLOCK - 1) / BLOCK * Float.BYTES;
  }

  /// Writes numbers `[0, count)` of `values` as numbers `[from, from + count)`.
  ///
  /// @param from a multiple of [#BLOCK]
  /// @param codes of all numbers
  /// @param scales of all numbers
  /// @throws IllegalArgumentException if a number is not finite
  public static void quantise(
      float[] values, int count, MemorySegment codes, MemorySegment scales, long from) {
    requireBlock(from);
    for (int at = 0; at < count; at += BLOCK) {
      int end = Math.min(count, at + BLOCK);
      float greatest = greatest(values, at, end);
      scales.set(SCALE, (from + at) / BLOCK * Float.BYTES, greatest);
      float inverse = greatest == 0 ? 0 : 1 / greatest;
      for (int i = at; i < end; i += 2) {
        int high = code(values[i] * inverse, greatest);
        int low = i + 1 < end ? code(values[i + 1] * inverse, greatest) : ZERO;
        codes.set(ValueLayout.JAVA_BYTE, (from + i) / 2, (byte) (high << 4 | low));
      }
    }
  }

  /// Numbers `[from, from + count)`, into `target` from 0 on.
  ///
  /// @param from a multiple of [#BLOCK]
  public static void dequantise(
      MemorySegment codes, MemorySegment scales, long from, float[] target, int count) {
    requireBlock(from);
    for (int at = 0; at < count; at += BLOCK) {
      int end = Math.min(count, at + BLOCK);
      float scale = scales.get(SCALE, (from + at) / BLOCK * Float.BYTES);
      int pairs = (end - at) / 2;
      long first = (from + at) / 2;
      for (int j = 0; j < pairs; j++) {
        int pair = codes.get(ValueLayout.JAVA_BYTE, first + j);
        target[at + 2 * j] = LEVELS[(pair >> 4) & 15] * scale;
        target[at + 2 * j + 1] = LEVELS[pair & 15] * scale;
      }
      if ((end - at) % 2 == 1) {
        int pair = codes.get(ValueLayout.JAVA_BYTE, first + pairs);
        target[end - 1] = LEVELS[(pair >> 4) & 15] * scale;
      }
    }
  }

  private static void requireBlock(long from) {
    if (from % BLOCK != 0) {
      throw new IllegalArgumentException(from + " is not the first number of a block");
    }
  }

  private static float greatest(float[] values, int from, int to) {
    float greatest = 0;
    for (int i = from; i < to; i++) {
      if (!Float.isFinite(values[i])) {
        throw new IllegalArgumentException(values[i] + " cannot be written as NF4");
      }
      greatest = Math.max(greatest, Math.abs(values[i]));
    }
    return greatest;
  }

  /// The nearest level, the lower of two that are equally near. A scale so small that its inverse
  /// is infinite counts as none.
  private static int code(float x, float greatest) {
    if (greatest < Float.MIN_NORMAL) {
      return ZERO;
    }
    int code = LOWEST[(int) ((x + 1) * BINS_PER_UNIT)];
    return x > BOUNDS[code] ? code + 1 : code;
  }
}
