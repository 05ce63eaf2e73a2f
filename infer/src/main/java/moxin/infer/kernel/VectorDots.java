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
/// interpreted until C2 has them.
final class VectorDots {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ORDER);

  /// How far down each of four nibbles is shifted. In an array, whose elements the compiler does
  /// not know: C2 shifts shorts by a number in a vector register, where it moves a constant anew
  /// before each shift, but keeps what it does not know.
  static final int[] NIBBLES = {0, 4, 8, 12};

  private VectorDots() {}

  /// Multiplies two tiles of Q4_0 with one token.
  ///
  /// @param w a tile
  /// @param w2 another, or the same again
  /// @param factors the token's first factor
  /// @param starts the start of its first block
  /// @param scales the scale of its first block
  /// @param y where the 32 outputs of the first tile go
  /// @param y2 where those of the second go
  static void multiplyQ4(
      long w, long w2, int columns, long factors, long starts, long scales, long y, long y2) {
    for (int part = 0; part < LINE; part += BYTES) {
      dotQ4(w + part, w2 + part, columns, factors, starts, scales, y + part, y2 + part);
    }
  }

  /// Multiplies one tile of Q8_0 with one token.
  ///
  /// @param w the tile
  /// @param x the token's first activation, all of them neighbours
  /// @param scales the scale of its first block
  /// @param y where the 32 outputs go
  static void multiplyQ8(long w, int columns, long x, long scales, long y) {
    for (int part = 0; part < LINE; part += BYTES) {
      dotQ8(w + part, columns, x, scales, y + part);
    }
  }

  /// Two tiles, the second at `w2`, its outputs at `y2`: reads of two places far apart keep memory
  /// busier than reads of one. Nibbles are not masked: the factors of [VectorLayout] undo what the
  /// higher ones add. Two lines a round are what C2 unrolls best here, though not in [#dotQ8].
  private static void dotQ4(
      long w, long w2, int columns, long factors, long starts, long scales, long y, long y2) {
    w = VectorMemory.address(w);
    w2 = VectorMemory.address(w2);
    factors = VectorMemory.address(factors);
    starts = VectorMemory.address(starts);
    scales = VectorMemory.address(scales);
    int one = NIBBLES[1];
    int two = NIBBLES[2];
    int three = NIBBLES[3];
    FloatVector lowA = FloatVector.zero(FLOATS);
    FloatVector highA = lowA;
    FloatVector lowB = lowA;
    FloatVector highB = lowA;
    for (int i = 0; i < columns / BLOCK; i++) {
      int block = i & VectorMemory.INDICES;
      // The result fits 16 bits, so that what overflows on the way does not matter.
      ShortVector a =
          IntVector.broadcast(INTS, ALL.get(INT, starts + 4L * block)).reinterpretAsShorts();
      ShortVector b = a;
      ShortVector moreA = ShortVector.zero(SHORTS);
      ShortVector moreB = moreA;
      long blockA = w + 9L * LINE * block;
      long blockB = w2 + 9L * LINE * block;
      long blockX = factors + 4L * BLOCK * block;
      for (int n = 0; n < 4; n++) {
        long at = blockX + 32L * (n & 7);
        long lineA = blockA + LINE + 2L * LINE * (n & 7);
        long lineB = blockB + LINE + 2L * LINE * (n & 7);
        ShortVector v = ShortVector.fromMemorySegment(SHORTS, ALL, lineA, ORDER);
        ShortVector u = ShortVector.fromMemorySegment(SHORTS, ALL, lineB, ORDER);
        ShortVector x = IntVector.broadcast(INTS, ALL.get(INT, at)).reinterpretAsShorts();
        a = a.add(v.mul(x));
        b = b.add(u.mul(x));
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 4)).reinterpretAsShorts();
        moreA = moreA.add(v.lanewise(VectorOperators.LSHR, one).mul(x));
        moreB = moreB.add(u.lanewise(VectorOperators.LSHR, one).mul(x));
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 8)).reinterpretAsShorts();
        a = a.add(v.lanewise(VectorOperators.LSHR, two).mul(x));
        b = b.add(u.lanewise(VectorOperators.LSHR, two).mul(x));
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 12)).reinterpretAsShorts();
        moreA = moreA.add(v.lanewise(VectorOperators.LSHR, three).mul(x));
        moreB = moreB.add(u.lanewise(VectorOperators.LSHR, three).mul(x));
        v = ShortVector.fromMemorySegment(SHORTS, ALL, lineA + LINE, ORDER);
        u = ShortVector.fromMemorySegment(SHORTS, ALL, lineB + LINE, ORDER);
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 16)).reinterpretAsShorts();
        a = a.add(v.mul(x));
        b = b.add(u.mul(x));
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 20)).reinterpretAsShorts();
        moreA = moreA.add(v.lanewise(VectorOperators.LSHR, one).mul(x));
        moreB = moreB.add(u.lanewise(VectorOperators.LSHR, one).mul(x));
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 24)).reinterpretAsShorts();
        a = a.add(v.lanewise(VectorOperators.LSHR, two).mul(x));
        b = b.add(u.lanewise(VectorOperators.LSHR, two).mul(x));
        x = IntVector.broadcast(INTS, ALL.get(INT, at + 28)).reinterpretAsShorts();
        moreA = moreA.add(v.lanewise(VectorOperators.LSHR, three).mul(x));
        moreB = moreB.add(u.lanewise(VectorOperators.LSHR, three).mul(x));
      }
      float scale = ALL.get(FLOAT, scales + 4L * block);
      IntVector halves = IntVector.fromMemorySegment(INTS, ALL, blockA, ORDER);
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
      IntVector pair = a.add(moreA).reinterpretAsInts();
      IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
      IntVector upper = pair.lanewise(VectorOperators.ASHR, 16);
      lowA = ((FloatVector) lower.castShape(FLOATS, 0)).fma(d0.mul(scale), lowA);
      highA = ((FloatVector) upper.castShape(FLOATS, 0)).fma(d1.mul(scale), highA);
      halves = IntVector.fromMemorySegment(INTS, ALL, blockB, ORDER);
      d0 =
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
      d1 =
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
      pair = b.add(moreB).reinterpretAsInts();
      lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
      upper = pair.lanewise(VectorOperators.ASHR, 16);
      lowB = ((FloatVector) lower.castShape(FLOATS, 0)).fma(d0.mul(scale), lowB);
      highB = ((FloatVector) upper.castShape(FLOATS, 0)).fma(d1.mul(scale), highB);
    }
    lowA.intoMemorySegment(ALL, y, ORDER);
    highA.intoMemorySegment(ALL, y + LINE, ORDER);
    lowB.intoMemorySegment(ALL, y2, ORDER);
    highB.intoMemorySegment(ALL, y2 + LINE, ORDER);
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
