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

/// Products of Q4_K, Q5_K and Q6_K weights with a few tokens, as [VectorDots].
final class VectorSuperblockDots {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  private VectorSuperblockDots() {}

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
        case Q4_K -> dotQ4K(data, w, columns, input, at, scales, sums, y, to);
        case Q5_K -> dotQ5K(data, w, columns, input, at, scales, sums, y, to);
        case Q6_K -> dotQ6K(data, w, columns, input, at, scales, sums, y, to);
        case F32, BF16, Q8_0, Q4_0 ->
            throw new IllegalArgumentException("no kernel for " + weights.format());
      }
    }
  }

  private static void dotQ4K(
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
    for (int unit = 0; unit < columns / 256; unit++) {
      IntVector halves = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
      IntVector minima = IntVector.fromMemorySegment(INTS, weights, w + LINE, ORDER);
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
      w += 2 * LINE;
      for (int block = 0;
          block < 8;
          block++, w += 9 * LINE, at += 2 * BLOCK, scales += 4, sums += 8) {
        int sum =
            x.get(SHORT, sums)
                + x.get(SHORT, sums + 2)
                + x.get(SHORT, sums + 4)
                + x.get(SHORT, sums + 6);
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
        float scale = x.get(FLOAT, scales);
        float minimum = -(scale * (float) sum);
        IntVector pair = dot.reinterpretAsInts();
        IntVector lower =
            pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16).add(8 * sum);
        IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(8 * sum);
        IntVector small = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
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
    low.intoMemorySegment(y, to, ORDER);
    high.intoMemorySegment(y, to + LINE, ORDER);
  }

  private static void dotQ5K(
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
    for (int unit = 0; unit < columns / 256; unit++) {
      IntVector halves = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
      IntVector minima = IntVector.fromMemorySegment(INTS, weights, w + LINE, ORDER);
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
      w += 2 * LINE;
      for (int block = 0;
          block < 8;
          block++, w += 11 * LINE, at += 2 * BLOCK, scales += 4, sums += 8) {
        int sum = x.get(SHORT, sums) + x.get(SHORT, sums + 2);
        int sum2 = x.get(SHORT, sums + 4) + x.get(SHORT, sums + 6);
        ShortVector dot = ShortVector.broadcast(SHORTS, (short) (-16 * sum));
        ShortVector dot2 = ShortVector.broadcast(SHORTS, (short) (-16 * sum2));
        ShortVector bits = ShortVector.fromMemorySegment(SHORTS, weights, w + 9 * LINE, ORDER);
        for (int line = 0; line < 4; line++) {
          ShortVector v =
              ShortVector.fromMemorySegment(SHORTS, weights, w + LINE * (line + 1L), ORDER);
          dot =
              dot.add(
                  v.and((short) 15)
                      .or(bits.lanewise(VectorOperators.LSHL, 4).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line)));
          dot =
              dot.add(
                  v.lanewise(VectorOperators.LSHR, 4)
                      .and((short) 15)
                      .or(bits.lanewise(VectorOperators.LSHL, 3).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 2)));
          dot =
              dot.add(
                  v.lanewise(VectorOperators.LSHR, 8)
                      .and((short) 15)
                      .or(bits.lanewise(VectorOperators.LSHL, 2).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 4)));
          dot =
              dot.add(
                  v.lanewise(VectorOperators.LSHR, 12)
                      .or(bits.lanewise(VectorOperators.LSHL, 1).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 6)));
          bits = bits.lanewise(VectorOperators.LSHR, 4);
        }
        bits = ShortVector.fromMemorySegment(SHORTS, weights, w + 10 * LINE, ORDER);
        for (int line = 0; line < 4; line++) {
          ShortVector v =
              ShortVector.fromMemorySegment(SHORTS, weights, w + LINE * (line + 5L), ORDER);
          dot2 =
              dot2.add(
                  v.and((short) 15)
                      .or(bits.lanewise(VectorOperators.LSHL, 4).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 32)));
          dot2 =
              dot2.add(
                  v.lanewise(VectorOperators.LSHR, 4)
                      .and((short) 15)
                      .or(bits.lanewise(VectorOperators.LSHL, 3).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 34)));
          dot2 =
              dot2.add(
                  v.lanewise(VectorOperators.LSHR, 8)
                      .and((short) 15)
                      .or(bits.lanewise(VectorOperators.LSHL, 2).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 36)));
          dot2 =
              dot2.add(
                  v.lanewise(VectorOperators.LSHR, 12)
                      .or(bits.lanewise(VectorOperators.LSHL, 1).and((short) 16))
                      .mul(x.get(SHORT, at + 8L * line + 38)));
          bits = bits.lanewise(VectorOperators.LSHR, 4);
        }
        float scale = x.get(FLOAT, scales);
        float minimum = -(scale * (float) (sum + sum2));
        IntVector pair = dot.reinterpretAsInts();
        IntVector pair2 = dot2.reinterpretAsInts();
        IntVector lower =
            pair.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 16)
                .add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                .add(16 * (sum + sum2));
        IntVector upper =
            pair.lanewise(VectorOperators.ASHR, 16)
                .add(pair2.lanewise(VectorOperators.ASHR, 16))
                .add(16 * (sum + sum2));
        IntVector small = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
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
    low.intoMemorySegment(y, to, ORDER);
    high.intoMemorySegment(y, to + LINE, ORDER);
  }

  private static void dotQ6K(
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
    for (int unit = 0; unit < columns / 256; unit++) {
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
      w += LINE;
      for (int block = 0; block < 8; block++, w += 13 * LINE, scales += 4) {
        float scale = x.get(FLOAT, scales);
        IntVector small = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
        for (int group = 0; group < 2; group++, at += BLOCK, sums += 4) {
          ShortVector dot = ShortVector.broadcast(SHORTS, (short) (-32 * x.get(SHORT, sums)));
          ShortVector dot2 = ShortVector.broadcast(SHORTS, (short) (-32 * x.get(SHORT, sums + 2)));
          ShortVector bits =
              ShortVector.fromMemorySegment(SHORTS, weights, w + LINE * (2L * group + 9), ORDER);
          ShortVector bits2 =
              ShortVector.fromMemorySegment(SHORTS, weights, w + LINE * (2L * group + 10), ORDER);
          for (int line = 0; line < 2; line++) {
            ShortVector v =
                ShortVector.fromMemorySegment(
                    SHORTS, weights, w + LINE * (4L * group + line + 1), ORDER);
            dot =
                dot.add(
                    v.and((short) 15)
                        .or(bits.lanewise(VectorOperators.LSHL, 4).and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line)));
            dot =
                dot.add(
                    v.lanewise(VectorOperators.LSHR, 4)
                        .and((short) 15)
                        .or(bits.lanewise(VectorOperators.LSHL, 2).and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 2)));
            dot =
                dot.add(
                    v.lanewise(VectorOperators.LSHR, 8)
                        .and((short) 15)
                        .or(bits.and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 4)));
            dot =
                dot.add(
                    v.lanewise(VectorOperators.LSHR, 12)
                        .or(bits.lanewise(VectorOperators.LSHR, 2).and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 6)));
            bits = bits.lanewise(VectorOperators.LSHR, 8);
            v =
                ShortVector.fromMemorySegment(
                    SHORTS, weights, w + LINE * (4L * group + line + 3), ORDER);
            dot2 =
                dot2.add(
                    v.and((short) 15)
                        .or(bits2.lanewise(VectorOperators.LSHL, 4).and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 16)));
            dot2 =
                dot2.add(
                    v.lanewise(VectorOperators.LSHR, 4)
                        .and((short) 15)
                        .or(bits2.lanewise(VectorOperators.LSHL, 2).and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 18)));
            dot2 =
                dot2.add(
                    v.lanewise(VectorOperators.LSHR, 8)
                        .and((short) 15)
                        .or(bits2.and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 20)));
            dot2 =
                dot2.add(
                    v.lanewise(VectorOperators.LSHR, 12)
                        .or(bits2.lanewise(VectorOperators.LSHR, 2).and((short) 48))
                        .mul(x.get(SHORT, at + 8L * line + 22)));
            bits2 = bits2.lanewise(VectorOperators.LSHR, 8);
          }
          IntVector pair = dot.reinterpretAsInts();
          IntVector pair2 = dot2.reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
          IntVector upper =
              pair.lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.ASHR, 16));
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
    low.intoMemorySegment(y, to, ORDER);
    high.intoMemorySegment(y, to + LINE, ORDER);
  }
}
