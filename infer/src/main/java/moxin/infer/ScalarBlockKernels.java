package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moxin.model.Precision;

/// Plain Java: the oracle that the other kernels are tested against.
final class ScalarBlockKernels implements BlockKernels {
  private static final int SQUARE_LANES = 8;

  @Override
  public String name() {
    return "scalar";
  }

  private static float at(MemorySegment segment, long index) {
    return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  private static void set(MemorySegment segment, long index, float value) {
    segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
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
    double[] lanes = new double[SQUARE_LANES];
    for (int i = 0; i < width; i++) {
      double value = at(x, xAt + i);
      lanes[i % SQUARE_LANES] = Math.fma(value, value, lanes[i % SQUARE_LANES]);
    }
    double sum = 0;
    for (double lane : lanes) {
      sum += lane;
    }
    float factor = (float) (1 / Math.sqrt(sum / width + epsilon));
    for (int i = 0; i < width; i++) {
      set(y, yAt + i, at(x, xAt + i) * factor * at(scale, i));
    }
  }

  @Override
  public void add(MemorySegment update, long updateAt, MemorySegment sums, long sumsAt, int count) {
    for (int i = 0; i < count; i++) {
      set(sums, sumsAt + i, at(sums, sumsAt + i) + at(update, updateAt + i));
    }
  }

  @Override
  public void gate(MemorySegment gate, long gateAt, MemorySegment up, long upAt, int count) {
    for (int i = 0; i < count; i++) {
      float g = at(gate, gateAt + i);
      set(gate, gateAt + i, g / (1 + Exponential.of(-g)) * at(up, upAt + i));
    }
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
    for (long start = at; start < at + (long) heads * depth; start += depth) {
      for (int i = 0; i < half; i++) {
        float cosine = at(cosines, angleAt + i);
        float sine = at(sines, angleAt + i);
        float low = at(vectors, start + i);
        float high = at(vectors, start + half + i);
        set(vectors, start + i, Math.fma(low, cosine, -(high * sine)));
        set(vectors, start + half + i, Math.fma(high, cosine, low * sine));
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
    accumulate(a, aAt, aStride, rows, inner, b, 0, bStride, c, cAt, cStride, columns);
  }

  /// The columns from `bAt` on.
  void accumulate(
      float[] a,
      int aAt,
      int aStride,
      int rows,
      int inner,
      float[] b,
      int bAt,
      int bStride,
      float[] c,
      int cAt,
      int cStride,
      int columns) {
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        float sum = c[cAt + row * cStride + column];
        for (int k = 0; k < inner; k++) {
          sum = Math.fma(a[aAt + row * aStride + k], b[bAt + k * bStride + column], sum);
        }
        c[cAt + row * cStride + column] = sum;
      }
    }
  }

  @Override
  public float exponentials(float[] scores, int at, int count, float scale) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = at; i < at + count; i++) {
      max = Math.max(max, scores[i]);
    }
    float[] lanes = new float[LANES];
    for (int i = 0; i < count; i++) {
      float weight = Exponential.of((scores[at + i] - max) * scale);
      scores[at + i] = weight;
      lanes[i % LANES] += weight;
    }
    return sum(lanes);
  }

  static float sum(float[] lanes) {
    double sum = 0;
    for (float lane : lanes) {
      sum += lane;
    }
    return (float) sum;
  }

  @Override
  public void scale(
      float[] source, int sourceAt, float factor, MemorySegment target, long targetAt, int count) {
    for (int i = 0; i < count; i++) {
      set(target, targetAt + i, source[sourceAt + i] * factor);
    }
  }

  @Override
  public void widen(MemorySegment source, KvType type, float[] target, int count) {
    for (int i = 0; i < count; i++) {
      target[i] =
          switch (type) {
            case F32 -> at(source, i);
            case F16 -> Float.float16ToFloat(source.getAtIndex(ValueLayout.JAVA_SHORT, i));
            case BF16 -> Precision.bf16ToFloat(source.getAtIndex(ValueLayout.JAVA_SHORT, i));
            case Q8 -> throw new IllegalArgumentException("int8 has scales");
          };
    }
  }

  @Override
  public void widenColumns(MemorySegment source, float[] target, int rows) {
    for (int i = 0; i < rows * LANES; i++) {
      target[i] = byteAt(source, i) * at(source, i % LANES);
    }
  }

  @Override
  public void widenRows(MemorySegment source, float[] target, int columns) {
    for (int i = 0; i < LANES * columns; i++) {
      target[i] = byteAt(source, i) * at(source, i / columns);
    }
  }

  private static float byteAt(MemorySegment source, int index) {
    return source.get(ValueLayout.JAVA_BYTE, LANES * Float.BYTES + (long) index);
  }
}
