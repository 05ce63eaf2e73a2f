package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.GROUP;
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

  /// 1.5 · 2^23: added to a small number, it leaves the nearest integer, ties to even, in the
  /// lowest bits.
  private static final float ROUNDING = 12582912f;

  private static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

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
    for (int first = from; first < to; first += GROUP) {
      int n = Math.min(GROUP, tokens - first);
      int stride = VectorLayout.stride(tokens);
      long group = 4L * first * columns;
      for (int t = 0; t < n; t++) {
        long token = 4 * (first + t) * xStride;
        for (int k = 0; k < columns; k++) {
          input.set(FLOAT, group + 4L * (k * stride + t), x.get(FLOAT, token + 4L * k));
        }
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
    int[] quants = new int[BLOCK];
    for (int first = from; first < to; first += GROUP) {
      int n = Math.min(GROUP, tokens - first);
      int stride = VectorLayout.stride(tokens);
      long shorts = 2L * first * columns;
      long scales = VectorLayout.scalesAt(tokens, columns) + 4L * first * blocks;
      long sums = VectorLayout.sumsAt(tokens, columns) + 8L * first * blocks;
      for (int t = 0; t < n; t++) {
        for (int block = 0; block < blocks; block++) {
          long at = 4 * ((first + t) * xStride + block * BLOCK);
          input.set(FLOAT, scales + 4L * (block * stride + t), quantise(x, at, quants));
          long to16 = shorts + 2L * (block * BLOCK * stride + t);
          for (int part = 0; part < 4; part++) {
            int sum = 0;
            for (int i = 8 * part; i < 8 * part + 8; i++) {
              sum += quants[i];
              input.set(SHORT, to16 + 2L * i * stride, (short) quants[i]);
            }
            input.set(SHORT, sums + 2L * ((4 * block + part) * stride + t), (short) sum);
          }
        }
      }
    }
  }

  /// Quantises 32 floats and returns their scale.
  private static float quantise(MemorySegment x, long at, int[] quants) {
    FloatVector max = FloatVector.zero(FLOATS);
    for (int i = 0; i < BLOCK / LANES; i++) {
      max = max.max(FloatVector.fromMemorySegment(FLOATS, x, at + i * BYTES, ORDER).abs());
    }
    float scale = max.reduceLanes(VectorOperators.MAX) / 127;
    float inverse = 1 / scale;
    boolean zero = !Float.isFinite(inverse) || inverse == 0;
    for (int i = 0; i < BLOCK / LANES; i++) {
      IntVector rounded =
          FloatVector.fromMemorySegment(FLOATS, x, at + i * BYTES, ORDER)
              .mul(inverse)
              .add(ROUNDING)
              .reinterpretAsInts()
              .sub(ROUNDING_BITS);
      (zero ? IntVector.zero(VectorWidth.INTS) : rounded).intoArray(quants, i * LANES);
    }
    return scale;
  }
}
