package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.LINE;
import static moxin.infer.kernel.VectorMemory.ALL;
import static moxin.infer.kernel.VectorPanel.HALF_BITS;
import static moxin.infer.kernel.VectorPanel.HALF_TO_FLOAT;
import static moxin.infer.kernel.VectorPanel.INFINITE;
import static moxin.infer.kernel.VectorPanel.MAGNITUDE;
import static moxin.infer.kernel.VectorPanel.TOO_LARGE;
import static moxin.infer.kernel.VectorWidth.BYTES;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.INTS;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Products of Q8_0 and Q4_0 weights with one token, straight from packed memory, by address.
///
/// Blocks are not written out: C1 gives up on methods with hundreds of vectors, and they are
/// interpreted until C2 has them. Nibbles are shifted as ints, since shifts of shorts by constants
/// are not compiled to constants.
final class VectorDots {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private VectorDots() {}

  /// Multiplies one tile with one token.
  ///
  /// @param w the tile
  /// @param x the token's first activation, all of them neighbours
  /// @param scales the scale of its first block
  /// @param sums the sum of its first 8 bytes
  /// @param y where the 32 outputs go
  static void multiply(
      WeightFormat format, long w, int columns, long x, long scales, long sums, long y) {
    for (int part = 0; part < LINE; part += BYTES) {
      switch (format) {
        case Q8_0 -> dotQ8(w + part, columns, x, scales, y + part);
        case Q4_0 -> dotQ4(w + part, columns, x, scales, sums, y + part);
        case F32, BF16, Q4_K, Q5_K, Q6_K ->
            throw new IllegalArgumentException("no kernel for " + format);
      }
    }
  }

  private static void dotQ4(long w, int columns, long x, long scales, long sums, long y) {
    w = VectorMemory.address(w);
    x = VectorMemory.address(x);
    scales = VectorMemory.address(scales);
    sums = VectorMemory.address(sums);
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int i = 0; i < columns / BLOCK; i++) {
      int block = i & VectorMemory.INDICES;
      long s = sums + 8L * block;
      int sum =
          ALL.get(SHORT, s) + ALL.get(SHORT, s + 2) + ALL.get(SHORT, s + 4) + ALL.get(SHORT, s + 6);
      // The result fits 16 bits, so that what overflows on the way does not matter.
      ShortVector dot = ShortVector.broadcast(SHORTS, (short) (-8 * sum));
      ShortVector more = ShortVector.zero(SHORTS);
      long blockW = w + 9L * LINE * block;
      long blockX = x + 2L * BLOCK * block;
      for (int line = 0; line < 8; line++) {
        long at = blockX + 8L * (line & 15);
        IntVector v =
            IntVector.fromMemorySegment(
                INTS, ALL, blockW + LINE + (long) LINE * (line & 15), ORDER);
        dot = dot.add(v.reinterpretAsShorts().and((short) 15).mul(ALL.get(SHORT, at)));
        more =
            more.add(
                v.lanewise(VectorOperators.LSHR, 4)
                    .reinterpretAsShorts()
                    .and((short) 15)
                    .mul(ALL.get(SHORT, at + 2)));
        dot =
            dot.add(
                v.lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .and((short) 15)
                    .mul(ALL.get(SHORT, at + 4)));
        more =
            more.add(
                v.lanewise(VectorOperators.LSHR, 12)
                    .reinterpretAsShorts()
                    .and((short) 15)
                    .mul(ALL.get(SHORT, at + 6)));
      }
      IntVector halves = IntVector.fromMemorySegment(INTS, ALL, blockW, ORDER);
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
      float scale = ALL.get(FLOAT, scales + 4L * block);
      IntVector pair = dot.add(more).reinterpretAsInts();
      IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
      IntVector upper = pair.lanewise(VectorOperators.ASHR, 16);
      low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(d0.mul(scale), low);
      high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(d1.mul(scale), high);
    }
    low.intoMemorySegment(ALL, y, ORDER);
    high.intoMemorySegment(ALL, y + LINE, ORDER);
  }

  private static void dotQ8(long w, int columns, long x, long scales, long y) {
    w = VectorMemory.address(w);
    x = VectorMemory.address(x);
    scales = VectorMemory.address(scales);
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int i = 0; i < columns / BLOCK; i++) {
      int block = i & VectorMemory.INDICES;
      ShortVector sum = ShortVector.zero(SHORTS);
      ShortVector coarse = sum;
      long blockW = w + 17L * LINE * block;
      long blockX = x + 2L * BLOCK * block;
      for (int line = 0; line < 16; line++) {
        long at = blockX + 4L * (line & 15);
        ShortVector v =
            ShortVector.fromMemorySegment(
                SHORTS, ALL, blockW + LINE + (long) LINE * (line & 15), ORDER);
        ShortVector p =
            v.lanewise(VectorOperators.LSHL, 8)
                .lanewise(VectorOperators.ASHR, 8)
                .mul(ALL.get(SHORT, at))
                .add(v.lanewise(VectorOperators.ASHR, 8).mul(ALL.get(SHORT, at + 2)));
        sum = sum.add(p);
        coarse = coarse.add(p.lanewise(VectorOperators.ASHR, 6));
      }
      IntVector halves = IntVector.fromMemorySegment(INTS, ALL, blockW, ORDER);
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
      float scale = ALL.get(FLOAT, scales + 4L * block);
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
    low.intoMemorySegment(ALL, y, ORDER);
    high.intoMemorySegment(ALL, y + LINE, ORDER);
  }
}
