package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorWidth.BYTES;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Prepares activations as [VectorLayout] describes.
final class VectorInputs {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ORDER);

  /// 1.5 · 2^23: added to a small number, it leaves the nearest integer, ties to even, in the
  /// lowest bits.
  private static final float ROUNDING = 12582912f;

  private static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

  /// What the number before counts for in a factor: nothing for the first of four.
  private static final IntVector BEFORE =
      IntVector.fromArray(
          VectorWidth.INTS,
          new int[] {0, -16, -16, -16, 0, -16, -16, -16, 0, -16, -16, -16, 0, -16, -16, -16},
          0);

  private VectorInputs() {}

  /// Copies the tokens `[from, to)`.
  static void interleave(
      MemorySegment x,
      long xStride,
      int tokens,
      int from,
      int to,
      int columns,
      MemorySegment input) {
    int step = 4 * VectorLayout.stride(tokens);
    for (int token = from; token < to; token++) {
      long target = 4 * VectorLayout.start(tokens, token, columns);
      long source = 4L * token * xStride;
      for (int k = 0; k < columns; k++) {
        input.set(FLOAT, target + (long) k * step, x.get(FLOAT, source + 4L * k));
      }
    }
  }

  /// Quantises the tokens `[from, to)`.
  static void quantise(
      MemorySegment x,
      long xStride,
      int tokens,
      int from,
      int to,
      int columns,
      MemorySegment input) {
    int blocks = columns / BLOCK;
    int stride = VectorLayout.stride(tokens);
    int[] quants = new int[BLOCK + 1];
    for (int token = from; token < to; token++) {
      long shorts = 2 * VectorLayout.start(tokens, token, columns);
      long scales =
          VectorLayout.scalesAt(tokens, columns) + 4 * VectorLayout.start(tokens, token, blocks);
      long sums =
          VectorLayout.sumsAt(tokens, columns) + 2 * VectorLayout.start(tokens, token, 4 * blocks);
      for (int block = 0; block < blocks; block++, scales += 4L * stride) {
        float scale = quantise(x, 4 * (token * xStride + (long) block * BLOCK), quants);
        input.set(FLOAT, scales, scale);
        int blockSum = 0;
        for (int part = 0; part < 4; part++, sums += 2L * stride) {
          int sum = 0;
          for (int i = 8 * part; i < 8 * part + 8; i++, shorts += 2L * stride) {
            sum += quants[i + 1];
            input.set(SHORT, shorts, (short) quants[i + 1]);
          }
          input.set(SHORT, sums, (short) sum);
          blockSum += sum;
        }
        if (tokens <= VectorLayout.DIRECT) {
          long index = (long) token * blocks + block;
          factors(quants, input, VectorLayout.factorsAt(tokens, columns) + 4L * BLOCK * index);
          int start = -8 * blockSum;
          input.set(
              INT,
              VectorLayout.startsAt(tokens, columns) + 4 * index,
              (start & 0xffff) | (start << 16));
        }
      }
    }
  }

  /// Writes a block's factors.
  private static void factors(int[] quants, MemorySegment input, long at) {
    for (int i = 0; i < BLOCK; i += LANES) {
      IntVector before = IntVector.fromArray(VectorWidth.INTS, quants, i).mul(BEFORE);
      IntVector factor = IntVector.fromArray(VectorWidth.INTS, quants, i + 1).add(before);
      twice(factor).intoMemorySegment(input, at + 4L * i, ORDER);
    }
  }

  /// The lower 16 bits, in both halves.
  private static IntVector twice(IntVector value) {
    return value.and(0xffff).or(value.lanewise(VectorOperators.LSHL, 16));
  }

  /// Quantises 32 floats to `quants` from index 1 on, and returns their scale.
  private static float quantise(MemorySegment x, long at, int[] quants) {
    FloatVector max = FloatVector.zero(FLOATS);
    for (int i = 0; i < BLOCK / LANES; i++) {
      max = max.max(FloatVector.fromMemorySegment(FLOATS, x, at + (long) i * BYTES, ORDER).abs());
    }
    float scale = max.reduceLanes(VectorOperators.MAX) / 127;
    float inverse = 1 / scale;
    boolean zero = !Float.isFinite(inverse) || inverse == 0;
    for (int i = 0; i < BLOCK / LANES; i++) {
      IntVector rounded =
          FloatVector.fromMemorySegment(FLOATS, x, at + (long) i * BYTES, ORDER)
              .mul(inverse)
              .add(ROUNDING)
              .reinterpretAsInts()
              .sub(ROUNDING_BITS);
      (zero ? IntVector.zero(VectorWidth.INTS) : rounded).intoArray(quants, i * LANES + 1);
    }
    return scale;
  }
}
