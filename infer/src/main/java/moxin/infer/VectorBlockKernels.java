package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// On the Vector API, in vectors of the machine's width.
final class VectorBlockKernels implements BlockKernels {
  private static final VectorSpecies<Float> FLOATS = preferred();
  private static final int WIDTH = FLOATS.length();
  private static final VectorSpecies<Double> DOUBLES = VectorSpecies.of(double.class, FLOATS.vectorShape());
  private static final int HALF = DOUBLES.length();
  private static final int SQUARE_LANES = 8;
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, FLOATS.vectorShape());
  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private final BlockKernels scalar = new ScalarBlockKernels();

  private static VectorSpecies<Float> preferred() {
    VectorSpecies<Float> species = FloatVector.SPECIES_PREFERRED;
    return species.length() > BlockKernels.LANES / 2 ? FloatVector.SPECIES_512 : species;
  }

  /// Why these kernels cannot run here.
  static Optional<String> obstacle() {
    return WIDTH < 4
        ? Optional.of("slow scalar kernels: this processor has vectors of " + WIDTH + " floats only")
        : Optional.empty();
  }

  @Override
  public String name() {
    return "vector-" + FLOATS.vectorBitSize();
  }

  private static FloatVector load(MemorySegment segment, long index) {
    return FloatVector.fromMemorySegment(FLOATS, segment, index << 2, ORDER);
  }

  private static void store(FloatVector vector, MemorySegment segment, long index) {
    vector.intoMemorySegment(segment, index << 2, ORDER);
  }

  private static float at(MemorySegment segment, long index) {
    return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  @Override
  public void normalise(
      MemorySegment x,
      long xAt,
      MemorySegment scale,
      int width,
      double epsilon,
      MemorySegment y,
      long yAt) {
    if (width % (2 * SQUARE_LANES) != 0) {
      scalar.normalise(x, xAt, scale, width, epsilon, y, yAt);
      return;
    }
    float factor = (float) (1 / Math.sqrt(squares(x, xAt, width) / width + epsilon));
    for (int i = 0; i < width; i += WIDTH) {
      store(load(x, xAt + i).mul(factor).mul(load(scale, i)), y, yAt + i);
    }
  }

  /// The sum of squares in 8 lanes of float64, whatever the width of vectors.
  private static double squares(MemorySegment x, long at, int width) {
    double[] lanes = new double[SQUARE_LANES];
    int vectors = Math.max(1, SQUARE_LANES / HALF);
    for (int part = 0; part < vectors; part++) {
      DoubleVector sum = DoubleVector.zero(DOUBLES);
      int from = part * HALF;
      for (int i = 0; i < width; i += SQUARE_LANES) {
        int start = i + from;
        int shift = start % WIDTH;
        FloatVector values = load(x, at + start - shift);
        DoubleVector wide = (DoubleVector) values.convertShape(VectorOperators.F2D, DOUBLES, shift / HALF);
        sum = wide.fma(wide, sum);
      }
      sum.intoArray(lanes, from);
    }
    double total = 0;
    for (double lane : lanes) {
      total += lane;
    }
    return total;
  }

  @Override
  public void add(MemorySegment update, long updateAt, MemorySegment sums, long sumsAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      store(load(sums, sumsAt + i).add(load(update, updateAt + i)), sums, sumsAt + i);
    }
    if (i < count) {
      scalar.add(update, updateAt + i, sums, sumsAt + i, count - i);
    }
  }

  @Override
  public void gate(MemorySegment gate, long gateAt, MemorySegment up, long upAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      FloatVector g = load(gate, gateAt + i);
      FloatVector e = exponential(g.neg());
      store(g.div(e.add(1f)).mul(load(up, upAt + i)), gate, gateAt + i);
    }
    if (i < count) {
      scalar.gate(gate, gateAt + i, up, upAt + i, count - i);
    }
  }

  /// [Exponential#of] in every lane.
  private static FloatVector exponential(FloatVector x) {
    VectorMask<Float> vanishes = x.compare(VectorOperators.LT, Exponential.LOWEST);
    FloatVector bounded = x.min(Exponential.HIGHEST);
    FloatVector rounder = FloatVector.broadcast(FLOATS, Exponential.ROUNDER);
    FloatVector shifted = bounded.fma(FloatVector.broadcast(FLOATS, Exponential.PER_LN2), rounder);
    FloatVector n = shifted.sub(rounder);
    FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -Exponential.LN2_HIGH), bounded);
    r = n.fma(FloatVector.broadcast(FLOATS, -Exponential.LN2_LOW), r);
    FloatVector p =
        FloatVector.broadcast(FLOATS, Exponential.C7).fma(r, FloatVector.broadcast(FLOATS, Exponential.C6));
    p = p.fma(r, FloatVector.broadcast(FLOATS, Exponential.C5));
    p = p.fma(r, FloatVector.broadcast(FLOATS, Exponential.C4));
    p = p.fma(r, FloatVector.broadcast(FLOATS, Exponential.C3));
    p = p.fma(r, FloatVector.broadcast(FLOATS, Exponential.C2));
    FloatVector one = FloatVector.broadcast(FLOATS, 1f);
    p = p.fma(r, one);
    p = p.fma(r, one);
    IntVector exponent =
        shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, Exponential.EXPONENT_SHIFT);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats().blend(0f, vanishes);
  }

  @Override
  public void rotate(
      MemorySegment vectors,
      long at,
      int heads,
      int depth,
      MemorySegment cosines,
      MemorySegment sines,
      long angleAt) {
    int half = depth / 2;
    if (half % WIDTH != 0) {
      scalar.rotate(vectors, at, heads, depth, cosines, sines, angleAt);
      return;
    }
    for (int i = 0; i < half; i += WIDTH) {
      FloatVector cosine = load(cosines, angleAt + i);
      FloatVector sine = load(sines, angleAt + i);
      for (long start = at; start < at + (long) heads * depth; start += depth) {
        FloatVector low = load(vectors, start + i);
        FloatVector high = load(vectors, start + half + i);
        store(low.fma(cosine, high.mul(sine).neg()), vectors, start + i);
        store(high.fma(cosine, low.mul(sine)), vectors, start + half + i);
      }
    }
  }

  @Override
  public void accumulate(
      MemorySegment a,
      long aAt,
      long aStride,
      int rows,
      int inner,
      MemorySegment b,
      long bAt,
      long bStride,
      MemorySegment c,
      long cAt,
      long cStride,
      int columns) {
    int column = 0;
    for (; column + 2 * WIDTH <= columns; column += 2 * WIDTH) {
      int row = 0;
      for (; row + 8 <= rows; row += 8) {
        eightRows(a, aAt + row * aStride, aStride, inner, b, bAt + column, bStride, c, cAt + row * cStride + column, cStride);
      }
      for (; row + 4 <= rows; row += 4) {
        fourRows(a, aAt + row * aStride, aStride, inner, b, bAt + column, bStride, c, cAt + row * cStride + column, cStride);
      }
      for (; row < rows; row++) {
        oneRow(a, aAt + row * aStride, inner, b, bAt + column, bStride, c, cAt + row * cStride + column);
      }
    }
    if (column < columns) {
      scalar.accumulate(a, aAt, aStride, rows, inner, b, bAt + column, bStride, c, cAt + column, cStride, columns - column);
    }
  }

  private static void oneRow(
      MemorySegment a, long aAt, int inner, MemorySegment b, long bAt, long bStride, MemorySegment c, long cAt) {
    FloatVector s0 = load(c, cAt);
    FloatVector t0 = load(c, cAt + WIDTH);
    for (int k = 0; k < inner; k++) {
      long at = bAt + k * bStride;
      FloatVector factor = FloatVector.broadcast(FLOATS, at(a, aAt + k));
      s0 = load(b, at).fma(factor, s0);
      t0 = load(b, at + WIDTH).fma(factor, t0);
    }
    store(s0, c, cAt);
    store(t0, c, cAt + WIDTH);
  }

  private static void fourRows(
      MemorySegment a, long aAt, long aStride, int inner, MemorySegment b, long bAt, long bStride, MemorySegment c, long cAt, long cStride) {
    long a1 = aAt + aStride;
    long a2 = a1 + aStride;
    long a3 = a2 + aStride;
    long c1 = cAt + cStride;
    long c2 = c1 + cStride;
    long c3 = c2 + cStride;
    FloatVector s0 = load(c, cAt);
    FloatVector t0 = load(c, cAt + WIDTH);
    FloatVector s1 = load(c, c1);
    FloatVector t1 = load(c, c1 + WIDTH);
    FloatVector s2 = load(c, c2);
    FloatVector t2 = load(c, c2 + WIDTH);
    FloatVector s3 = load(c, c3);
    FloatVector t3 = load(c, c3 + WIDTH);
    for (int k = 0; k < inner; k++) {
      long at = bAt + k * bStride;
      FloatVector s = load(b, at);
      FloatVector t = load(b, at + WIDTH);
      FloatVector factor = FloatVector.broadcast(FLOATS, at(a, aAt + k));
      s0 = s.fma(factor, s0);
      t0 = t.fma(factor, t0);
      factor = FloatVector.broadcast(FLOATS, at(a, a1 + k));
      s1 = s.fma(factor, s1);
      t1 = t.fma(factor, t1);
      factor = FloatVector.broadcast(FLOATS, at(a, a2 + k));
      s2 = s.fma(factor, s2);
      t2 = t.fma(factor, t2);
      factor = FloatVector.broadcast(FLOATS, at(a, a3 + k));
      s3 = s.fma(factor, s3);
      t3 = t.fma(factor, t3);
    }
    store(s0, c, cAt);
    store(t0, c, cAt + WIDTH);
    store(s1, c, c1);
    store(t1, c, c1 + WIDTH);
    store(s2, c, c2);
    store(t2, c, c2 + WIDTH);
    store(s3, c, c3);
    store(t3, c, c3 + WIDTH);
  }

  private static void eightRows(
      MemorySegment a, long aAt, long aStride, int inner, MemorySegment b, long bAt, long bStride, MemorySegment c, long cAt, long cStride) {
    long a1 = aAt + aStride;
    long a2 = a1 + aStride;
    long a3 = a2 + aStride;
    long a4 = a3 + aStride;
    long a5 = a4 + aStride;
    long a6 = a5 + aStride;
    long a7 = a6 + aStride;
    long c1 = cAt + cStride;
    long c2 = c1 + cStride;
    long c3 = c2 + cStride;
    long c4 = c3 + cStride;
    long c5 = c4 + cStride;
    long c6 = c5 + cStride;
    long c7 = c6 + cStride;
    FloatVector s0 = load(c, cAt);
    FloatVector t0 = load(c, cAt + WIDTH);
    FloatVector s1 = load(c, c1);
    FloatVector t1 = load(c, c1 + WIDTH);
    FloatVector s2 = load(c, c2);
    FloatVector t2 = load(c, c2 + WIDTH);
    FloatVector s3 = load(c, c3);
    FloatVector t3 = load(c, c3 + WIDTH);
    FloatVector s4 = load(c, c4);
    FloatVector t4 = load(c, c4 + WIDTH);
    FloatVector s5 = load(c, c5);
    FloatVector t5 = load(c, c5 + WIDTH);
    FloatVector s6 = load(c, c6);
    FloatVector t6 = load(c, c6 + WIDTH);
    FloatVector s7 = load(c, c7);
    FloatVector t7 = load(c, c7 + WIDTH);
    for (int k = 0; k < inner; k++) {
      long at = bAt + k * bStride;
      FloatVector s = load(b, at);
      FloatVector t = load(b, at + WIDTH);
      FloatVector factor = FloatVector.broadcast(FLOATS, at(a, aAt + k));
      s0 = s.fma(factor, s0);
      t0 = t.fma(factor, t0);
      factor = FloatVector.broadcast(FLOATS, at(a, a1 + k));
      s1 = s.fma(factor, s1);
      t1 = t.fma(factor, t1);
      factor = FloatVector.broadcast(FLOATS, at(a, a2 + k));
      s2 = s.fma(factor, s2);
      t2 = t.fma(factor, t2);
      factor = FloatVector.broadcast(FLOATS, at(a, a3 + k));
      s3 = s.fma(factor, s3);
      t3 = t.fma(factor, t3);
      factor = FloatVector.broadcast(FLOATS, at(a, a4 + k));
      s4 = s.fma(factor, s4);
      t4 = t.fma(factor, t4);
      factor = FloatVector.broadcast(FLOATS, at(a, a5 + k));
      s5 = s.fma(factor, s5);
      t5 = t.fma(factor, t5);
      factor = FloatVector.broadcast(FLOATS, at(a, a6 + k));
      s6 = s.fma(factor, s6);
      t6 = t.fma(factor, t6);
      factor = FloatVector.broadcast(FLOATS, at(a, a7 + k));
      s7 = s.fma(factor, s7);
      t7 = t.fma(factor, t7);
    }
    store(s0, c, cAt);
    store(t0, c, cAt + WIDTH);
    store(s1, c, c1);
    store(t1, c, c1 + WIDTH);
    store(s2, c, c2);
    store(t2, c, c2 + WIDTH);
    store(s3, c, c3);
    store(t3, c, c3 + WIDTH);
    store(s4, c, c4);
    store(t4, c, c4 + WIDTH);
    store(s5, c, c5);
    store(t5, c, c5 + WIDTH);
    store(s6, c, c6);
    store(t6, c, c6 + WIDTH);
    store(s7, c, c7);
    store(t7, c, c7 + WIDTH);
  }

  @Override
  public float exponentials(MemorySegment scores, long at, int count, float scale) {
    FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i += WIDTH) {
      largest = largest.max(load(scores, at + i));
    }
    float max = largest.reduceLanes(VectorOperators.MAX);
    float[] lanes = new float[LANES];
    for (int part = 0; part < LANES; part += WIDTH) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = part; i < count; i += LANES) {
        FloatVector weight = exponential(load(scores, at + i).sub(max).mul(scale));
        store(weight, scores, at + i);
        sum = sum.add(weight);
      }
      sum.intoArray(lanes, part);
    }
    double sum = 0;
    for (float lane : lanes) {
      sum += lane;
    }
    return (float) sum;
  }

  @Override
  public void scale(
      MemorySegment source,
      long sourceAt,
      float factor,
      MemorySegment target,
      long targetAt,
      int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      store(load(source, sourceAt + i).mul(factor), target, targetAt + i);
    }
    if (i < count) {
      scalar.scale(source, sourceAt + i, factor, target, targetAt + i, count - i);
    }
  }

  @Override
  public void widen(MemorySegment source, KvType type, MemorySegment target, int count) {
    switch (type) {
      case F32 -> target.copyFrom(source);
      case F16 -> widenF16(source, target, count);
      case BF16 -> widenBf16(source, target, count);
    }
  }

  private static void widenBf16(MemorySegment source, MemorySegment target, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      IntVector bits = shorts(source, i).lanewise(VectorOperators.LSHL, 16);
      store(bits.reinterpretAsFloats(), target, i);
    }
  }

  /// Significand and exponent move to their place in fp32; one multiplication by 2¹¹² corrects the
  /// bias and makes subnormal numbers normal. Cached numbers are finite.
  private static void widenF16(MemorySegment source, MemorySegment target, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      IntVector bits = shorts(source, i);
      IntVector sign = bits.lanewise(VectorOperators.LSHL, 16).and(1 << 31);
      IntVector rest = bits.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
      FloatVector value = rest.reinterpretAsFloats().mul(0x1p112f);
      store(value.reinterpretAsInts().or(sign).reinterpretAsFloats(), target, i);
    }
  }

  private static IntVector shorts(MemorySegment source, int at) {
    ShortVector halves = ShortVector.fromMemorySegment(HALVES, source, (long) at << 1, ORDER);
    return (IntVector) halves.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
  }
}
