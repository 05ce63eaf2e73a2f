package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.LINE;
import static moxin.infer.kernel.VectorPanel.HALF_BITS;
import static moxin.infer.kernel.VectorPanel.HALF_TO_FLOAT;
import static moxin.infer.kernel.VectorPanel.INFINITE;
import static moxin.infer.kernel.VectorPanel.MAGNITUDE;
import static moxin.infer.kernel.VectorPanel.TOO_LARGE;
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

/// Products of Q8_0 and Q4_0 weights with a few tokens, one by one, straight from packed memory.
///
/// Every offset is a loop's `int` times a constant, from which the compiler sees that bounds hold;
/// with a running offset it checks each access. Blocks are not written out: C1 gives up on methods
/// with hundreds of vectors, and they are interpreted until C2 has them.
final class VectorDots {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private VectorDots() {}

  /// Multiplies one tile with one of at most [VectorLayout#DIRECT] tokens and writes its outputs to
  /// byte `to` of `y`.
  static void multiply(
      PackedMatrix weights,
      int tile,
      MemorySegment input,
      int tokens,
      int token,
      MemorySegment y,
      long to) {
    MemorySegment data = weights.data();
    int columns = weights.columns();
    int blocks = columns / BLOCK;
    long at = 2 * VectorLayout.start(tokens, token, columns);
    long scales =
        VectorLayout.scalesAt(tokens, columns) + 4 * VectorLayout.start(tokens, token, blocks);
    long sums =
        VectorLayout.sumsAt(tokens, columns) + 2 * VectorLayout.start(tokens, token, 4 * blocks);
    long w = tile * VectorLayout.tileBytes(weights.format(), columns);
    for (int byteOfLine = 0;
        byteOfLine < LINE;
        byteOfLine += 4 * LANES, w += 4L * LANES, to += 4L * LANES) {
      switch (weights.format()) {
        case Q8_0 -> dotQ8(data, w, columns, input, at, scales, y, to);
        case Q4_0 -> dotQ4(data, w, columns, input, at, scales, sums, y, to);
        case F32, BF16, Q4_K, Q5_K, Q6_K ->
            throw new IllegalArgumentException("no kernel for " + weights.format());
      }
    }
  }

  private static void dotQ4(
      MemorySegment weights,
      long w,
      int columns,
      MemorySegment x,
      long at,
      long scales,
      long sums,
      MemorySegment y,
      long to) {
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int block = 0;
        block < columns / BLOCK;
        block++, w += 9 * LINE, at += 2 * BLOCK, scales += 4, sums += 8) {
      int sum =
          x.get(SHORT, sums)
              + x.get(SHORT, sums + 2)
              + x.get(SHORT, sums + 4)
              + x.get(SHORT, sums + 6);
      // The result fits 16 bits, so that what overflows on the way does not matter.
      ShortVector dot = ShortVector.broadcast(SHORTS, (short) (-8 * sum));
      for (int line = 0; line < 8; line++) {
        ShortVector v =
            ShortVector.fromMemorySegment(SHORTS, weights, w + LINE * (line + 1L), ORDER);
        dot = dot.add(v.and((short) 15).mul(x.get(SHORT, at + 8L * line)));
        dot =
            dot.add(
                v.lanewise(VectorOperators.LSHR, 4)
                    .and((short) 15)
                    .mul(x.get(SHORT, at + 8L * line + 2)));
        dot =
            dot.add(
                v.lanewise(VectorOperators.LSHR, 8)
                    .and((short) 15)
                    .mul(x.get(SHORT, at + 8L * line + 4)));
        dot = dot.add(v.lanewise(VectorOperators.LSHR, 12).mul(x.get(SHORT, at + 8L * line + 6)));
      }
      IntVector halves = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
      FloatVector d0 =
          halves
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      d0 =
          d0.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  d0.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      FloatVector d1 =
          halves
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      d1 =
          d1.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  d1.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
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
      MemorySegment weights,
      long w,
      int columns,
      MemorySegment x,
      long at,
      long scales,
      MemorySegment y,
      long to) {
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int block = 0;
        block < columns / BLOCK;
        block++, w += 17 * LINE, at += 2 * BLOCK, scales += 4) {
      ShortVector sum = ShortVector.zero(SHORTS);
      ShortVector coarse = sum;
      for (int line = 0; line < 16; line++) {
        ShortVector v =
            ShortVector.fromMemorySegment(SHORTS, weights, w + LINE * (line + 1L), ORDER);
        ShortVector p =
            v.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(x.get(SHORT, at + 4L * line))
                .add(v.lanewise(VectorOperators.ASHR, 8).mul(x.get(SHORT, at + 4L * line + 2)));
        sum = sum.add(p);
        coarse = coarse.add(p.lanewise(VectorOperators.ASHR, 6));
      }
      IntVector halves = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
      FloatVector d0 =
          halves
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      d0 =
          d0.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  d0.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      FloatVector d1 =
          halves
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      d1 =
          d1.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  d1.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      float scale = x.get(FLOAT, scales);
      // What rounding down left, 0 to 1008.
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
