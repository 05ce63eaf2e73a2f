package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.LINE;
import static moxin.infer.kernel.VectorPanel.HALF_BITS;
import static moxin.infer.kernel.VectorPanel.HALF_TO_FLOAT;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.INTS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Products of quantised weights with one token, straight from packed memory.
final class VectorIntegerDots {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private VectorIntegerDots() {}

  /// Whether `format` has a kernel here.
  static boolean supports(WeightFormat format) {
    return format == WeightFormat.Q8_0 || format == WeightFormat.Q4_0;
  }

  /// One tile.
  static void multiply(PackedMatrix weights, int tile, MemorySegment input, MemorySegment y) {
    int columns = weights.columns();
    long w = tile * VectorLayout.tileBytes(weights.format(), columns);
    long to = 4L * MatrixKernels.TILE * tile;
    for (int row = 0; row < 16; row += LANES) {
      if (weights.format() == WeightFormat.Q4_0) {
        dotQ4(weights.data(), w + 4 * row, columns, input, y, to + 4 * row);
      } else {
        dotQ8(weights.data(), w + 4 * row, columns, input, y, to + 4 * row);
      }
    }
  }

  private static void dotQ4(
      MemorySegment weights, long w, int columns, MemorySegment x, MemorySegment y, long to) {
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    long scales = VectorLayout.scalesAt(1, columns);
    long sums = VectorLayout.sumsAt(1, columns);
    long at = 0;
    for (int block = 0; block < columns / BLOCK; block++, scales += 4, sums += 8) {
      int sum =
          x.get(SHORT, sums)
              + x.get(SHORT, sums + 2)
              + x.get(SHORT, sums + 4)
              + x.get(SHORT, sums + 6);
      // The result fits 16 bits, so that what overflows on the way does not matter.
      ShortVector dot = ShortVector.broadcast(SHORTS, (short) (-8 * sum));
      IntVector halves = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
      for (int line = 0; line < 8; line++, at += 8) {
        w += LINE;
        ShortVector v = ShortVector.fromMemorySegment(SHORTS, weights, w, ORDER);
        dot = dot.add(v.and((short) 15).mul(x.get(SHORT, at)));
        dot =
            dot.add(v.lanewise(VectorOperators.LSHR, 4).and((short) 15).mul(x.get(SHORT, at + 2)));
        dot =
            dot.add(v.lanewise(VectorOperators.LSHR, 8).and((short) 15).mul(x.get(SHORT, at + 4)));
        dot = dot.add(v.lanewise(VectorOperators.LSHR, 12).mul(x.get(SHORT, at + 6)));
      }
      w += LINE;
      FloatVector d0 =
          halves
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      FloatVector d1 =
          halves
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      d0 =
          d0.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  0x7f800000,
                  d0.abs().compare(VectorOperators.GE, 65536f).cast(INTS))
              .reinterpretAsFloats();
      d1 =
          d1.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  0x7f800000,
                  d1.abs().compare(VectorOperators.GE, 65536f).cast(INTS))
              .reinterpretAsFloats();
      float scale = x.get(FLOAT, scales);
      IntVector pair = dot.reinterpretAsInts();
      IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
      IntVector upper = pair.lanewise(VectorOperators.ASHR, 16);
      low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(d0.mul(scale), low);
      high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(d1.mul(scale), high);
    }
    low.intoMemorySegment(y, to, ORDER);
    high.intoMemorySegment(y, to + LINE, ORDER);
  }

  private static void dotQ8(
      MemorySegment weights, long w, int columns, MemorySegment x, MemorySegment y, long to) {
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    long scales = VectorLayout.scalesAt(1, columns);
    long at = 0;
    for (int block = 0; block < columns / BLOCK; block++, scales += 4) {
      ShortVector sum = ShortVector.zero(SHORTS);
      ShortVector coarse = sum;
      IntVector halves = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
      for (int line = 0; line < 16; line++, at += 4) {
        w += LINE;
        ShortVector v = ShortVector.fromMemorySegment(SHORTS, weights, w, ORDER);
        ShortVector products =
            v.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(x.get(SHORT, at))
                .add(v.lanewise(VectorOperators.ASHR, 8).mul(x.get(SHORT, at + 2)));
        sum = sum.add(products);
        coarse = coarse.add(products.lanewise(VectorOperators.ASHR, 6));
      }
      w += LINE;
      FloatVector d0 =
          halves
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      FloatVector d1 =
          halves
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      d0 =
          d0.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  0x7f800000,
                  d0.abs().compare(VectorOperators.GE, 65536f).cast(INTS))
              .reinterpretAsFloats();
      d1 =
          d1.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  0x7f800000,
                  d1.abs().compare(VectorOperators.GE, 65536f).cast(INTS))
              .reinterpretAsFloats();
      float scale = x.get(FLOAT, scales);
      IntVector rest = sum.sub(coarse.lanewise(VectorOperators.LSHL, 6)).reinterpretAsInts();
      IntVector pair = coarse.reinterpretAsInts();
      IntVector lower =
          pair.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 10)
              .add(rest.and(0xffff));
      IntVector upper =
          pair.lanewise(VectorOperators.ASHR, 16)
              .lanewise(VectorOperators.LSHL, 6)
              .add(rest.lanewise(VectorOperators.LSHR, 16));
      low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(d0.mul(scale), low);
      high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(d1.mul(scale), high);
    }
    low.intoMemorySegment(y, to, ORDER);
    high.intoMemorySegment(y, to + LINE, ORDER);
  }
}
