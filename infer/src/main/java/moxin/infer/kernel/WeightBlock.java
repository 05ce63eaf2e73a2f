package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// One block of a row of weights taken apart: `w[i] = scales[i / groupElements] · quants[i] −
/// minima[i / groupElements]`. Mutable, for one thread; [#read] fills it anew.
///
/// This is the plain reading of ggml's block formats that packing and products are tested against.
public final class WeightBlock {

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LARGEST = 256;

  private final WeightFormat format;
  private final int[] quants = new int[LARGEST];
  private final float[] scales = new float[LARGEST / 16];
  private final float[] minima = new float[LARGEST / 16];

  /// A block of a quantised format.
  public WeightBlock(WeightFormat format) {
    if (format == WeightFormat.F32 || format == WeightFormat.BF16) {
      throw new IllegalArgumentException(format + " has no quantised blocks");
    }
    this.format = format;
  }

  /// How many neighbouring elements share a scale.
  public int groupElements() {
    return format == WeightFormat.Q6_K ? 16 : 32;
  }

  /// The integer of element `i`, the formats' offsets (8 for Q4_0, 32 for Q6_K) subtracted.
  public int quant(int i) {
    return quants[i];
  }

  /// The fp32 factor of group `group`.
  public float scale(int group) {
    return scales[group];
  }

  /// What is subtracted in group `group`; 0 in formats without minima.
  public float minimum(int group) {
    return minima[group];
  }

  /// Reads the block that begins at byte `at` of `source`.
  public void read(MemorySegment source, long at) {
    switch (format) {
      case F32, BF16 -> throw new IllegalStateException(format + " has no quantised blocks");
      case Q8_0 -> readQ8(source, at);
      case Q4_0 -> readQ4(source, at);
      case Q4_K -> readFourBits(source, at, at + 16);
      case Q5_K -> {
        readFourBits(source, at, at + 48);
        addFifthBits(source, at + 16);
      }
      case Q6_K -> readSixBits(source, at);
    }
  }

  /// Writes the block's weights as fp32 to `target[at ..]`, rounding `scale · quant` and the
  /// difference, as ggml does.
  public void dequantise(float[] target, int at) {
    for (int i = 0; i < format.blockElements(); i++) {
      int group = i / groupElements();
      target[at + i] = scales[group] * quants[i] - minima[group];
    }
  }

  private void readQ8(MemorySegment source, long at) {
    scales[0] = half(source, at);
    for (int i = 0; i < 32; i++) {
      quants[i] = source.get(ValueLayout.JAVA_BYTE, at + 2 + i);
    }
  }

  private void readQ4(MemorySegment source, long at) {
    scales[0] = half(source, at);
    for (int i = 0; i < 16; i++) {
      int pair = unsigned(source, at + 2 + i);
      quants[i] = (pair & 15) - 8;
      quants[i + 16] = (pair >> 4) - 8;
    }
  }

  private void readFourBits(MemorySegment source, long at, long nibbles) {
    float d = half(source, at);
    float dmin = half(source, at + 2);
    for (int group = 0; group < 8; group++) {
      scales[group] = d * sixBitScale(source, at + 4, group);
      minima[group] = dmin * sixBitMinimum(source, at + 4, group);
      for (int i = 0; i < 32; i++) {
        int pair = unsigned(source, nibbles + group / 2 * 32L + i);
        quants[32 * group + i] = group % 2 == 0 ? pair & 15 : pair >> 4;
      }
    }
  }

  private void addFifthBits(MemorySegment source, long bits) {
    for (int i = 0; i < 256; i++) {
      quants[i] += (unsigned(source, bits + i % 32) >> (i / 32) & 1) << 4;
    }
  }

  private void readSixBits(MemorySegment source, long at) {
    float d = half(source, at + 208);
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int quarter = i / 32 % 4;
      int low = unsigned(source, at + 64L * half + 32L * (quarter % 2) + i % 32);
      int high = unsigned(source, at + 128 + 32L * half + i % 32);
      quants[i] = (((low >> (4 * (quarter / 2))) & 15) | (((high >> (2 * quarter)) & 3) << 4)) - 32;
    }
    for (int group = 0; group < 16; group++) {
      scales[group] = d * source.get(ValueLayout.JAVA_BYTE, at + 192 + group);
    }
  }

  /// The 6-bit scale of group `group` of the 12 bytes at `at`: 4 scales and 4 minima in the lower 6
  /// bits of 8 bytes, then 4 nibbles of each, completed by the 8 bytes' upper 2 bits.
  static int sixBitScale(MemorySegment source, long at, int group) {
    return group < 4
        ? unsigned(source, at + group) & 63
        : (unsigned(source, at + group + 4) & 15) | (unsigned(source, at + group - 4) >> 6 << 4);
  }

  /// The 6-bit minimum of group `group` of the 12 bytes at `at`.
  static int sixBitMinimum(MemorySegment source, long at, int group) {
    return group < 4
        ? unsigned(source, at + group + 4) & 63
        : (unsigned(source, at + group + 4) >> 4) | (unsigned(source, at + group) >> 6 << 4);
  }

  private static float half(MemorySegment source, long at) {
    return Float.float16ToFloat(source.get(SHORT, at));
  }

  private static int unsigned(MemorySegment source, long at) {
    return source.get(ValueLayout.JAVA_BYTE, at) & 255;
  }
}
