package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import jdk.incubator.vector.ByteVector;
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
  private static final VectorSpecies<Double> DOUBLES =
      VectorSpecies.of(double.class, FLOATS.vectorShape());
  private static final int HALF = DOUBLES.length();
  private static final int SQUARE_LANES = 8;
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, FLOATS.vectorShape());
  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(
          byte.class, VectorShape.forBitSize(Math.max(64, FLOATS.vectorBitSize() / 4)));
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private final ScalarBlockKernels scalar = new ScalarBlockKernels();

  private static VectorSpecies<Float> preferred() {
    VectorSpecies<Float> species = FloatVector.SPECIES_PREFERRED;
    return species.length() > BlockKernels.LANES / 2 ? FloatVector.SPECIES_512 : species;
  }

  /// Why these kernels cannot run here.
  static Optional<String> obstacle() {
    return WIDTH < 4
        ? Optional.of(
            "slow scalar kernels: this processor has vectors of " + WIDTH + " floats only")
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
        DoubleVector wide =
            (DoubleVector) values.convertShape(VectorOperators.F2D, DOUBLES, shift / HALF);
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
        FloatVector.broadcast(FLOATS, Exponential.C7)
            .fma(r, FloatVector.broadcast(FLOATS, Exponential.C6));
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
      float[] a,
      int aAt,
      int aStride,
      int rows,
      int inner,
      float[] b,
      int bStride,
      float[] c,
      int cAt,
      int cStride,
      int columns) {
    int column = 0;
    for (; column + 2 * WIDTH <= columns; column += 2 * WIDTH) {
      int row = 0;
      for (; row + 8 <= rows; row += 8) {
        int from = aAt + row * aStride;
        int to = cAt + row * cStride + column;
        eightRows(a, from, aStride, inner, b, column, bStride, c, to, cStride);
      }
      for (; row + 4 <= rows; row += 4) {
        int from = aAt + row * aStride;
        int to = cAt + row * cStride + column;
        fourRows(a, from, aStride, inner, b, column, bStride, c, to, cStride);
      }
      for (; row < rows; row++) {
        oneRow(a, aAt + row * aStride, inner, b, column, bStride, c, cAt + row * cStride + column);
      }
    }
    if (column < columns) {
      scalar.accumulate(
          a,
          aAt,
          aStride,
          rows,
          inner,
          b,
          column,
          bStride,
          c,
          cAt + column,
          cStride,
          columns - column);
    }
  }

  private static void oneRow(
      float[] a, int aAt, int inner, float[] b, int bAt, int bStride, float[] c, int cAt) {
    FloatVector s0 = FloatVector.fromArray(FLOATS, c, cAt);
    FloatVector t0 = FloatVector.fromArray(FLOATS, c, cAt + WIDTH);
    int at = bAt;
    for (int k = 0; k < inner; k++) {
      FloatVector s = FloatVector.fromArray(FLOATS, b, at);
      FloatVector t = FloatVector.fromArray(FLOATS, b, at + WIDTH);
      FloatVector factor = FloatVector.broadcast(FLOATS, a[aAt + k]);
      s0 = s.fma(factor, s0);
      t0 = t.fma(factor, t0);
      at += bStride;
    }
    s0.intoArray(c, cAt);
    t0.intoArray(c, cAt + WIDTH);
  }

  private static void fourRows(
      float[] a,
      int aAt,
      int aStride,
      int inner,
      float[] b,
      int bAt,
      int bStride,
      float[] c,
      int cAt,
      int cStride) {
    int a1 = aAt + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int c1 = cAt + cStride;
    int c2 = c1 + cStride;
    int c3 = c2 + cStride;
    FloatVector s0 = FloatVector.fromArray(FLOATS, c, cAt);
    FloatVector t0 = FloatVector.fromArray(FLOATS, c, cAt + WIDTH);
    FloatVector s1 = FloatVector.fromArray(FLOATS, c, c1);
    FloatVector t1 = FloatVector.fromArray(FLOATS, c, c1 + WIDTH);
    FloatVector s2 = FloatVector.fromArray(FLOATS, c, c2);
    FloatVector t2 = FloatVector.fromArray(FLOATS, c, c2 + WIDTH);
    FloatVector s3 = FloatVector.fromArray(FLOATS, c, c3);
    FloatVector t3 = FloatVector.fromArray(FLOATS, c, c3 + WIDTH);
    int at = bAt;
    for (int k = 0; k < inner; k++) {
      FloatVector s = FloatVector.fromArray(FLOATS, b, at);
      FloatVector t = FloatVector.fromArray(FLOATS, b, at + WIDTH);
      FloatVector factor = FloatVector.broadcast(FLOATS, a[aAt + k]);
      s0 = s.fma(factor, s0);
      t0 = t.fma(factor, t0);
      factor = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s1 = s.fma(factor, s1);
      t1 = t.fma(factor, t1);
      factor = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s2 = s.fma(factor, s2);
      t2 = t.fma(factor, t2);
      factor = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s3 = s.fma(factor, s3);
      t3 = t.fma(factor, t3);
      at += bStride;
    }
    s0.intoArray(c, cAt);
    t0.intoArray(c, cAt + WIDTH);
    s1.intoArray(c, c1);
    t1.intoArray(c, c1 + WIDTH);
    s2.intoArray(c, c2);
    t2.intoArray(c, c2 + WIDTH);
    s3.intoArray(c, c3);
    t3.intoArray(c, c3 + WIDTH);
  }

  private static void eightRows(
      float[] a,
      int aAt,
      int aStride,
      int inner,
      float[] b,
      int bAt,
      int bStride,
      float[] c,
      int cAt,
      int cStride) {
    int a1 = aAt + aStride;
    int a2 = a1 + aStride;
    int a3 = a2 + aStride;
    int a4 = a3 + aStride;
    int a5 = a4 + aStride;
    int a6 = a5 + aStride;
    int a7 = a6 + aStride;
    int c1 = cAt + cStride;
    int c2 = c1 + cStride;
    int c3 = c2 + cStride;
    int c4 = c3 + cStride;
    int c5 = c4 + cStride;
    int c6 = c5 + cStride;
    int c7 = c6 + cStride;
    FloatVector s0 = FloatVector.fromArray(FLOATS, c, cAt);
    FloatVector t0 = FloatVector.fromArray(FLOATS, c, cAt + WIDTH);
    FloatVector s1 = FloatVector.fromArray(FLOATS, c, c1);
    FloatVector t1 = FloatVector.fromArray(FLOATS, c, c1 + WIDTH);
    FloatVector s2 = FloatVector.fromArray(FLOATS, c, c2);
    FloatVector t2 = FloatVector.fromArray(FLOATS, c, c2 + WIDTH);
    FloatVector s3 = FloatVector.fromArray(FLOATS, c, c3);
    FloatVector t3 = FloatVector.fromArray(FLOATS, c, c3 + WIDTH);
    FloatVector s4 = FloatVector.fromArray(FLOATS, c, c4);
    FloatVector t4 = FloatVector.fromArray(FLOATS, c, c4 + WIDTH);
    FloatVector s5 = FloatVector.fromArray(FLOATS, c, c5);
    FloatVector t5 = FloatVector.fromArray(FLOATS, c, c5 + WIDTH);
    FloatVector s6 = FloatVector.fromArray(FLOATS, c, c6);
    FloatVector t6 = FloatVector.fromArray(FLOATS, c, c6 + WIDTH);
    FloatVector s7 = FloatVector.fromArray(FLOATS, c, c7);
    FloatVector t7 = FloatVector.fromArray(FLOATS, c, c7 + WIDTH);
    int at = bAt;
    for (int k = 0; k < inner; k++) {
      FloatVector s = FloatVector.fromArray(FLOATS, b, at);
      FloatVector t = FloatVector.fromArray(FLOATS, b, at + WIDTH);
      FloatVector factor = FloatVector.broadcast(FLOATS, a[aAt + k]);
      s0 = s.fma(factor, s0);
      t0 = t.fma(factor, t0);
      factor = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s1 = s.fma(factor, s1);
      t1 = t.fma(factor, t1);
      factor = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s2 = s.fma(factor, s2);
      t2 = t.fma(factor, t2);
      factor = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s3 = s.fma(factor, s3);
      t3 = t.fma(factor, t3);
      factor = FloatVector.broadcast(FLOATS, a[a4 + k]);
      s4 = s.fma(factor, s4);
      t4 = t.fma(factor, t4);
      factor = FloatVector.broadcast(FLOATS, a[a5 + k]);
      s5 = s.fma(factor, s5);
      t5 = t.fma(factor, t5);
      factor = FloatVector.broadcast(FLOATS, a[a6 + k]);
      s6 = s.fma(factor, s6);
      t6 = t.fma(factor, t6);
      factor = FloatVector.broadcast(FLOATS, a[a7 + k]);
      s7 = s.fma(factor, s7);
      t7 = t.fma(factor, t7);
      at += bStride;
    }
    s0.intoArray(c, cAt);
    t0.intoArray(c, cAt + WIDTH);
    s1.intoArray(c, c1);
    t1.intoArray(c, c1 + WIDTH);
    s2.intoArray(c, c2);
    t2.intoArray(c, c2 + WIDTH);
    s3.intoArray(c, c3);
    t3.intoArray(c, c3 + WIDTH);
    s4.intoArray(c, c4);
    t4.intoArray(c, c4 + WIDTH);
    s5.intoArray(c, c5);
    t5.intoArray(c, c5 + WIDTH);
    s6.intoArray(c, c6);
    t6.intoArray(c, c6 + WIDTH);
    s7.intoArray(c, c7);
    t7.intoArray(c, c7 + WIDTH);
  }

  @Override
  public float exponentials(float[] scores, int at, int count, float scale) {
    FloatVector largest = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = at; i < at + count; i += WIDTH) {
      largest = largest.max(FloatVector.fromArray(FLOATS, scores, i));
    }
    float max = largest.reduceLanes(VectorOperators.MAX);
    float[] lanes = new float[LANES];
    for (int part = 0; part < LANES; part += WIDTH) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = at + part; i < at + count; i += LANES) {
        FloatVector score = FloatVector.fromArray(FLOATS, scores, i);
        FloatVector weight = exponential(score.sub(max).mul(scale));
        weight.intoArray(scores, i);
        sum = sum.add(weight);
      }
      sum.intoArray(lanes, part);
    }
    return ScalarBlockKernels.sum(lanes);
  }

  @Override
  public void scale(
      float[] source, int sourceAt, float factor, MemorySegment target, long targetAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      store(FloatVector.fromArray(FLOATS, source, sourceAt + i).mul(factor), target, targetAt + i);
    }
    if (i < count) {
      scalar.scale(source, sourceAt + i, factor, target, targetAt + i, count - i);
    }
  }

  @Override
  public void widen(MemorySegment source, KvType type, float[] target, int count) {
    switch (type) {
      case F32 -> MemorySegment.copy(source, ValueLayout.JAVA_FLOAT, 0, target, 0, count);
      case F16 -> widenF16(source, target, count);
      case BF16 -> widenBf16(source, target, count);
      case Q8 -> throw new IllegalArgumentException("int8 has scales");
    }
  }

  @Override
  public void widenColumns(MemorySegment source, float[] target, int rows) {
    if (WIDTH < BYTES.length()) {
      scalar.widenColumns(source, target, rows);
      return;
    }
    for (int lane = 0; lane < LANES; lane += WIDTH) {
      FloatVector scales = load(source, lane);
      for (int i = lane; i < rows * LANES; i += LANES) {
        bytes(source, i).mul(scales).intoArray(target, i);
      }
    }
  }

  @Override
  public void widenRows(MemorySegment source, float[] target, int columns) {
    if (WIDTH < BYTES.length() || columns % WIDTH != 0) {
      scalar.widenRows(source, target, columns);
      return;
    }
    for (int row = 0; row < LANES; row++) {
      float scale = source.get(ValueLayout.JAVA_FLOAT, (long) row * Float.BYTES);
      for (int i = row * columns; i < (row + 1) * columns; i += WIDTH) {
        bytes(source, i).mul(scale).intoArray(target, i);
      }
    }
  }

  /// The numbers after the scales of a panel.
  private static FloatVector bytes(MemorySegment source, int at) {
    ByteVector numbers =
        ByteVector.fromMemorySegment(BYTES, source, LANES * Float.BYTES + (long) at, ORDER);
    IntVector integers = (IntVector) numbers.convertShape(VectorOperators.B2I, INTS, 0);
    return (FloatVector) integers.convertShape(VectorOperators.I2F, FLOATS, 0);
  }

  private static void widenBf16(MemorySegment source, float[] target, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      IntVector bits = shorts(source, i).lanewise(VectorOperators.LSHL, 16);
      bits.reinterpretAsFloats().intoArray(target, i);
    }
  }

  /// Significand and exponent move to their place in fp32; one multiplication by 2¹¹² corrects the
  /// bias and makes subnormal numbers normal. Cached numbers are finite.
  private static void widenF16(MemorySegment source, float[] target, int count) {
    for (int i = 0; i < count; i += WIDTH) {
      IntVector bits = shorts(source, i);
      IntVector sign = bits.lanewise(VectorOperators.LSHL, 16).and(1 << 31);
      IntVector rest = bits.and(0x7FFF).lanewise(VectorOperators.LSHL, 13);
      FloatVector value = rest.reinterpretAsFloats().mul(0x1p112f);
      value.reinterpretAsInts().or(sign).reinterpretAsFloats().intoArray(target, i);
    }
  }

  private static IntVector shorts(MemorySegment source, int at) {
    ShortVector halves = ShortVector.fromMemorySegment(HALVES, source, (long) at << 1, ORDER);
    return (IntVector) halves.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
  }
}
