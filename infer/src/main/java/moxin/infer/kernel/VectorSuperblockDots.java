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

/// Products of Q4_K, Q5_K and Q6_K weights with a few tokens, as [VectorDots].
final class VectorSuperblockDots {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ORDER);

  /// The bits of both shorts of an int that hold a nibble, the fifth bit, and the two above.
  private static final int NIBBLES = 0x000f000f;

  private static final int FIFTH_BITS = 0x00100010;
  private static final int SIXTH_BITS = 0x00300030;

  private VectorSuperblockDots() {}

  /// Multiplies one tile of Q4_K with one token.
  ///
  /// @param w the tile
  /// @param factors the token's first factor
  /// @param starts the start of its first block
  /// @param scales the scale of its first block
  /// @param sums the sum of its first 8 bytes
  /// @param y where the 32 outputs go
  static void multiplyQ4K(
      long w, int columns, long factors, long starts, long scales, long sums, long y) {
    for (int part = 0; part < LINE; part += BYTES) {
      dotQ4K(w + part, columns, factors, starts, scales, sums, y + part);
    }
  }

  /// Multiplies one tile of Q5_K or Q6_K with one token, whose first activation is at `x`, all of
  /// them neighbours.
  static void multiply(
      WeightFormat format, long w, int columns, long x, long scales, long sums, long y) {
    for (int part = 0; part < LINE; part += BYTES) {
      switch (format) {
        case Q5_K -> dotQ5K(w + part, columns, x, scales, sums, y + part);
        case Q6_K -> dotQ6K(w + part, columns, x, scales, sums, y + part);
        case F32, BF16, Q8_0, Q4_0, Q4_K ->
            throw new IllegalArgumentException("no kernel for " + format);
      }
    }
  }

  private static void dotQ4K(
      long tile, int columns, long factors, long starts, long xScales, long xSums, long y) {
    tile = VectorMemory.address(tile);
    factors = VectorMemory.address(factors);
    starts = VectorMemory.address(starts);
    xScales = VectorMemory.address(xScales);
    xSums = VectorMemory.address(xSums);
    int one = VectorDots.NIBBLES[1];
    int two = VectorDots.NIBBLES[2];
    int three = VectorDots.NIBBLES[3];
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int u = 0; u < columns / 256; u++) {
      int unit = u & VectorMemory.INDICES;
      long header = tile + 74L * LINE * unit;
      long unitW = header + 2L * LINE;
      long unitX = factors + 32L * BLOCK * unit;
      long unitStarts = starts + 32L * unit;
      long unitScales = xScales + 32L * unit;
      long unitSums = xSums + 64L * unit;
      IntVector halves = IntVector.fromMemorySegment(INTS, ALL, header, ORDER);
      IntVector minima = IntVector.fromMemorySegment(INTS, ALL, header + LINE, ORDER);
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
      FloatVector m0 =
          minima
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      m0 =
          m0.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  m0.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      FloatVector m1 =
          minima
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      m1 =
          m1.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  m1.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      for (int i = 0; i < 8; i++) {
        int block = i & 7;
        long w = unitW + 9L * LINE * block;
        long at = unitX + 4L * BLOCK * block;
        long scales = unitScales + 4L * block;
        long sums = unitSums + 8L * block;
        int sum =
            ALL.get(SHORT, sums)
                + ALL.get(SHORT, sums + 2)
                + ALL.get(SHORT, sums + 4)
                + ALL.get(SHORT, sums + 6);
        ShortVector dot =
            IntVector.broadcast(INTS, ALL.get(INT, unitStarts + 4L * block)).reinterpretAsShorts();
        ShortVector more = ShortVector.zero(SHORTS);
        for (int n = 0; n < 4; n++) {
          long k = at + 32L * (n & 7);
          long line = w + LINE + 2L * LINE * (n & 7);
          ShortVector v = ShortVector.fromMemorySegment(SHORTS, ALL, line, ORDER);
          ShortVector x = IntVector.broadcast(INTS, ALL.get(INT, k)).reinterpretAsShorts();
          dot = dot.add(v.mul(x));
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 4)).reinterpretAsShorts();
          more = more.add(v.lanewise(VectorOperators.LSHR, one).mul(x));
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 8)).reinterpretAsShorts();
          dot = dot.add(v.lanewise(VectorOperators.LSHR, two).mul(x));
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 12)).reinterpretAsShorts();
          more = more.add(v.lanewise(VectorOperators.LSHR, three).mul(x));
          v = ShortVector.fromMemorySegment(SHORTS, ALL, line + LINE, ORDER);
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 16)).reinterpretAsShorts();
          dot = dot.add(v.mul(x));
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 20)).reinterpretAsShorts();
          more = more.add(v.lanewise(VectorOperators.LSHR, one).mul(x));
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 24)).reinterpretAsShorts();
          dot = dot.add(v.lanewise(VectorOperators.LSHR, two).mul(x));
          x = IntVector.broadcast(INTS, ALL.get(INT, k + 28)).reinterpretAsShorts();
          more = more.add(v.lanewise(VectorOperators.LSHR, three).mul(x));
        }
        float scale = ALL.get(FLOAT, scales);
        float minimum = -(scale * (float) sum);
        IntVector pair = dot.add(more).reinterpretAsInts();
        IntVector lower =
            pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16).add(8 * sum);
        IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(8 * sum);
        IntVector small = IntVector.fromMemorySegment(INTS, ALL, w, ORDER);
        low =
            ((FloatVector) lower.castShape(FLOATS, 0))
                .fma(((FloatVector) small.and(63).castShape(FLOATS, 0)).mul(d0).mul(scale), low);
        high =
            ((FloatVector) upper.castShape(FLOATS, 0))
                .fma(
                    ((FloatVector)
                            small.lanewise(VectorOperators.LSHR, 16).and(63).castShape(FLOATS, 0))
                        .mul(d1)
                        .mul(scale),
                    high);
        low =
            ((FloatVector) small.lanewise(VectorOperators.LSHR, 8).and(63).castShape(FLOATS, 0))
                .mul(m0)
                .fma(FloatVector.broadcast(FLOATS, minimum), low);
        high =
            ((FloatVector) small.lanewise(VectorOperators.LSHR, 24).and(63).castShape(FLOATS, 0))
                .mul(m1)
                .fma(FloatVector.broadcast(FLOATS, minimum), high);
      }
    }
    low.intoMemorySegment(ALL, y, ORDER);
    high.intoMemorySegment(ALL, y + LINE, ORDER);
  }

  private static void dotQ5K(long tile, int columns, long x, long xScales, long xSums, long y) {
    tile = VectorMemory.address(tile);
    x = VectorMemory.address(x);
    xScales = VectorMemory.address(xScales);
    xSums = VectorMemory.address(xSums);
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int u = 0; u < columns / 256; u++) {
      int unit = u & VectorMemory.INDICES;
      long header = tile + 90L * LINE * unit;
      long unitW = header + 2L * LINE;
      long unitX = x + 16L * BLOCK * unit;
      long unitScales = xScales + 32L * unit;
      long unitSums = xSums + 64L * unit;
      IntVector halves = IntVector.fromMemorySegment(INTS, ALL, header, ORDER);
      IntVector minima = IntVector.fromMemorySegment(INTS, ALL, header + LINE, ORDER);
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
      FloatVector m0 =
          minima
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      m0 =
          m0.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  m0.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      FloatVector m1 =
          minima
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(HALF_TO_FLOAT);
      m1 =
          m1.reinterpretAsInts()
              .lanewise(
                  VectorOperators.OR,
                  INFINITE,
                  m1.reinterpretAsInts().and(MAGNITUDE).compare(VectorOperators.GE, TOO_LARGE))
              .reinterpretAsFloats();
      for (int i = 0; i < 8; i++) {
        int block = i & 7;
        long w = unitW + 11L * LINE * block;
        long at = unitX + 2L * BLOCK * block;
        long scales = unitScales + 4L * block;
        long sums = unitSums + 8L * block;
        int sum = 0;
        IntVector lower = IntVector.zero(INTS);
        IntVector upper = lower;
        for (int m = 0; m < 2; m++) {
          int half = m & 1;
          int some = ALL.get(SHORT, sums + 4L * half) + ALL.get(SHORT, sums + 4L * half + 2);
          sum += some;
          ShortVector dot = ShortVector.broadcast(SHORTS, (short) (-16 * some));
          IntVector bits = IntVector.fromMemorySegment(INTS, ALL, w + LINE * (half + 9L), ORDER);
          for (int n = 0; n < 4; n++) {
            int line = 4 * half + (n & 3);
            long k = at + 8L * line;
            IntVector v = IntVector.fromMemorySegment(INTS, ALL, w + LINE * (line + 1L), ORDER);
            dot =
                dot.add(
                    v.and(NIBBLES)
                        .or(bits.lanewise(VectorOperators.LSHL, 4).and(FIFTH_BITS))
                        .reinterpretAsShorts()
                        .mul(ALL.get(SHORT, k)));
            dot =
                dot.add(
                    v.lanewise(VectorOperators.LSHR, 4)
                        .and(NIBBLES)
                        .or(bits.lanewise(VectorOperators.LSHL, 3).and(FIFTH_BITS))
                        .reinterpretAsShorts()
                        .mul(ALL.get(SHORT, k + 2)));
            dot =
                dot.add(
                    v.lanewise(VectorOperators.LSHR, 8)
                        .and(NIBBLES)
                        .or(bits.lanewise(VectorOperators.LSHL, 2).and(FIFTH_BITS))
                        .reinterpretAsShorts()
                        .mul(ALL.get(SHORT, k + 4)));
            dot =
                dot.add(
                    v.lanewise(VectorOperators.LSHR, 12)
                        .and(NIBBLES)
                        .or(bits.lanewise(VectorOperators.LSHL, 1).and(FIFTH_BITS))
                        .reinterpretAsShorts()
                        .mul(ALL.get(SHORT, k + 6)));
            bits = bits.lanewise(VectorOperators.LSHR, 4);
          }
          IntVector pair = dot.reinterpretAsInts();
          lower =
              lower.add(pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
          upper = upper.add(pair.lanewise(VectorOperators.ASHR, 16));
        }
        lower = lower.add(16 * sum);
        upper = upper.add(16 * sum);
        float scale = ALL.get(FLOAT, scales);
        float minimum = -(scale * (float) sum);
        IntVector small = IntVector.fromMemorySegment(INTS, ALL, w, ORDER);
        low =
            ((FloatVector) lower.castShape(FLOATS, 0))
                .fma(((FloatVector) small.and(63).castShape(FLOATS, 0)).mul(d0).mul(scale), low);
        high =
            ((FloatVector) upper.castShape(FLOATS, 0))
                .fma(
                    ((FloatVector)
                            small.lanewise(VectorOperators.LSHR, 16).and(63).castShape(FLOATS, 0))
                        .mul(d1)
                        .mul(scale),
                    high);
        low =
            ((FloatVector) small.lanewise(VectorOperators.LSHR, 8).and(63).castShape(FLOATS, 0))
                .mul(m0)
                .fma(FloatVector.broadcast(FLOATS, minimum), low);
        high =
            ((FloatVector) small.lanewise(VectorOperators.LSHR, 24).and(63).castShape(FLOATS, 0))
                .mul(m1)
                .fma(FloatVector.broadcast(FLOATS, minimum), high);
      }
    }
    low.intoMemorySegment(ALL, y, ORDER);
    high.intoMemorySegment(ALL, y + LINE, ORDER);
  }

  private static void dotQ6K(long tile, int columns, long x, long xScales, long xSums, long y) {
    tile = VectorMemory.address(tile);
    x = VectorMemory.address(x);
    xScales = VectorMemory.address(xScales);
    xSums = VectorMemory.address(xSums);
    FloatVector low = FloatVector.zero(FLOATS);
    FloatVector high = low;
    for (int u = 0; u < columns / 256; u++) {
      int unit = u & VectorMemory.INDICES;
      long header = tile + 105L * LINE * unit;
      long unitW = header + 1L * LINE;
      long unitX = x + 16L * BLOCK * unit;
      long unitScales = xScales + 32L * unit;
      long unitSums = xSums + 64L * unit;
      IntVector halves = IntVector.fromMemorySegment(INTS, ALL, header, ORDER);
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
      for (int i = 0; i < 8; i++) {
        int block = i & 7;
        long w = unitW + 13L * LINE * block;
        long at = unitX + 2L * BLOCK * block;
        long scales = unitScales + 4L * block;
        long sums = unitSums + 8L * block;
        float scale = ALL.get(FLOAT, scales);
        IntVector small = IntVector.fromMemorySegment(INTS, ALL, w, ORDER);
        for (int m = 0; m < 2; m++) {
          int group = m & 1;
          IntVector lower = IntVector.zero(INTS);
          IntVector upper = lower;
          for (int p = 0; p < 2; p++) {
            int part = 2 * group + (p & 1);
            ShortVector dot =
                ShortVector.broadcast(SHORTS, (short) (-32 * ALL.get(SHORT, sums + 2L * part)));
            IntVector bits = IntVector.fromMemorySegment(INTS, ALL, w + LINE * (part + 9L), ORDER);
            for (int n = 0; n < 2; n++) {
              int line = 2 * part + (n & 1);
              long k = at + 8L * line;
              IntVector v = IntVector.fromMemorySegment(INTS, ALL, w + LINE * (line + 1L), ORDER);
              dot =
                  dot.add(
                      v.and(NIBBLES)
                          .or(bits.lanewise(VectorOperators.LSHL, 4).and(SIXTH_BITS))
                          .reinterpretAsShorts()
                          .mul(ALL.get(SHORT, k)));
              dot =
                  dot.add(
                      v.lanewise(VectorOperators.LSHR, 4)
                          .and(NIBBLES)
                          .or(bits.lanewise(VectorOperators.LSHL, 2).and(SIXTH_BITS))
                          .reinterpretAsShorts()
                          .mul(ALL.get(SHORT, k + 2)));
              dot =
                  dot.add(
                      v.lanewise(VectorOperators.LSHR, 8)
                          .and(NIBBLES)
                          .or(bits.and(SIXTH_BITS))
                          .reinterpretAsShorts()
                          .mul(ALL.get(SHORT, k + 4)));
              dot =
                  dot.add(
                      v.lanewise(VectorOperators.LSHR, 12)
                          .and(NIBBLES)
                          .or(bits.lanewise(VectorOperators.LSHR, 2).and(SIXTH_BITS))
                          .reinterpretAsShorts()
                          .mul(ALL.get(SHORT, k + 6)));
              bits = bits.lanewise(VectorOperators.LSHR, 8);
            }
            IntVector pair = dot.reinterpretAsInts();
            lower =
                lower.add(
                    pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            upper = upper.add(pair.lanewise(VectorOperators.ASHR, 16));
          }
          low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(
                      ((FloatVector)
                              small
                                  .lanewise(VectorOperators.LSHL, 24)
                                  .lanewise(VectorOperators.ASHR, 24)
                                  .castShape(FLOATS, 0))
                          .mul(d0)
                          .mul(scale),
                      low);
          high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      ((FloatVector)
                              small
                                  .lanewise(VectorOperators.LSHL, 8)
                                  .lanewise(VectorOperators.ASHR, 24)
                                  .castShape(FLOATS, 0))
                          .mul(d1)
                          .mul(scale),
                      high);
          small = small.lanewise(VectorOperators.LSHR, 8);
        }
      }
    }
    low.intoMemorySegment(ALL, y, ORDER);
    high.intoMemorySegment(ALL, y + LINE, ORDER);
  }
}
