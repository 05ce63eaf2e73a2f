package moxin.infer;

import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Kernels on the Vector API: 2 vectors of rows × 6 tokens in registers, K in chunks whose panel
/// stays in the first cache.
final class VectorKernels implements Kernels {
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final int LANES = FLOATS.length();
  private static final VectorSpecies<Short> HALF_SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(Math.max(64, LANES * Short.SIZE)));
  private static final int TOKENS = 6;
  private static final int CHUNK = 256;

  private static final ThreadLocal<float[]> PANEL =
      ThreadLocal.withInitial(() -> new float[CHUNK * TILE]);

  /// Why this JVM or processor cannot run these kernels well.
  static Optional<String> obstacle() {
    if (LANES < 4 || TILE % (2 * LANES) != 0) {
      return Optional.of("slow scalar kernels: vectors of " + LANES + " floats are not supported");
    }
    return Optional.empty();
  }

  @Override
  public String name() {
    return "vector-" + FLOATS.vectorBitSize();
  }

  @Override
  public void multiplyTile(
      PackedMatrix weights, int tile, float[] x, int xStride, int tokens, float[] y, int yStride) {
    int columns = weights.columns();
    for (int n = 0; n < tokens; n++) {
      java.util.Arrays.fill(y, n * yStride + tile * TILE, n * yStride + (tile + 1) * TILE, 0f);
    }
    for (int k = 0; k < columns; k += CHUNK) {
      int count = Math.min(CHUNK, columns - k);
      int start = (tile * columns + k) * TILE;
      switch (weights) {
        case PackedMatrix.Full full ->
            chunk(full.values(), start, count, x, k, xStride, tokens, y, tile * TILE, yStride);
        case PackedMatrix.Brain brain -> {
          float[] panel = PANEL.get();
          widen(brain.values(), start, panel, count * TILE);
          chunk(panel, 0, count, x, k, xStride, tokens, y, tile * TILE, yStride);
        }
      }
    }
  }

  private static void widen(short[] source, int at, float[] panel, int count) {
    for (int i = 0; i < count; i += LANES) {
      IntVector bits =
          (IntVector)
              ShortVector.fromArray(HALF_SHORTS, source, at + i)
                  .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
      bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(panel, i);
    }
  }

  private static void chunk(
      float[] w,
      int wAt,
      int count,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] y,
      int yAt,
      int yStride) {
    for (int r = 0; r < TILE; r += 2 * LANES) {
      int n = 0;
      for (; n + TOKENS <= tokens; n += TOKENS) {
        sixTokens(
            w, wAt + r, count, x, n * xStride + xAt, xStride, y, n * yStride + yAt + r, yStride);
      }
      for (; n < tokens; n++) {
        oneToken(w, wAt + r, count, x, n * xStride + xAt, y, n * yStride + yAt + r);
      }
    }
  }

  private static void oneToken(
      float[] w, int wAt, int count, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = FloatVector.fromArray(FLOATS, y, yAt);
    FloatVector b = FloatVector.fromArray(FLOATS, y, yAt + LANES);
    for (int k = 0; k < count; k++) {
      FloatVector v = FloatVector.broadcast(FLOATS, x[xAt + k]);
      a = FloatVector.fromArray(FLOATS, w, wAt + k * TILE).fma(v, a);
      b = FloatVector.fromArray(FLOATS, w, wAt + k * TILE + LANES).fma(v, b);
    }
    a.intoArray(y, yAt);
    b.intoArray(y, yAt + LANES);
  }

  private static void sixTokens(
      float[] w,
      int wAt,
      int count,
      float[] x,
      int xAt,
      int xStride,
      float[] y,
      int yAt,
      int yStride) {
    int x1 = xAt + xStride;
    int x2 = x1 + xStride;
    int x3 = x2 + xStride;
    int x4 = x3 + xStride;
    int x5 = x4 + xStride;
    int y1 = yAt + yStride;
    int y2 = y1 + yStride;
    int y3 = y2 + yStride;
    int y4 = y3 + yStride;
    int y5 = y4 + yStride;
    FloatVector a0 = FloatVector.fromArray(FLOATS, y, yAt);
    FloatVector b0 = FloatVector.fromArray(FLOATS, y, yAt + LANES);
    FloatVector a1 = FloatVector.fromArray(FLOATS, y, y1);
    FloatVector b1 = FloatVector.fromArray(FLOATS, y, y1 + LANES);
    FloatVector a2 = FloatVector.fromArray(FLOATS, y, y2);
    FloatVector b2 = FloatVector.fromArray(FLOATS, y, y2 + LANES);
    FloatVector a3 = FloatVector.fromArray(FLOATS, y, y3);
    FloatVector b3 = FloatVector.fromArray(FLOATS, y, y3 + LANES);
    FloatVector a4 = FloatVector.fromArray(FLOATS, y, y4);
    FloatVector b4 = FloatVector.fromArray(FLOATS, y, y4 + LANES);
    FloatVector a5 = FloatVector.fromArray(FLOATS, y, y5);
    FloatVector b5 = FloatVector.fromArray(FLOATS, y, y5 + LANES);
    for (int k = 0; k < count; k++) {
      FloatVector w0 = FloatVector.fromArray(FLOATS, w, wAt + k * TILE);
      FloatVector w1 = FloatVector.fromArray(FLOATS, w, wAt + k * TILE + LANES);
      FloatVector v = FloatVector.broadcast(FLOATS, x[xAt + k]);
      a0 = w0.fma(v, a0);
      b0 = w1.fma(v, b0);
      v = FloatVector.broadcast(FLOATS, x[x1 + k]);
      a1 = w0.fma(v, a1);
      b1 = w1.fma(v, b1);
      v = FloatVector.broadcast(FLOATS, x[x2 + k]);
      a2 = w0.fma(v, a2);
      b2 = w1.fma(v, b2);
      v = FloatVector.broadcast(FLOATS, x[x3 + k]);
      a3 = w0.fma(v, a3);
      b3 = w1.fma(v, b3);
      v = FloatVector.broadcast(FLOATS, x[x4 + k]);
      a4 = w0.fma(v, a4);
      b4 = w1.fma(v, b4);
      v = FloatVector.broadcast(FLOATS, x[x5 + k]);
      a5 = w0.fma(v, a5);
      b5 = w1.fma(v, b5);
    }
    a0.intoArray(y, yAt);
    b0.intoArray(y, yAt + LANES);
    a1.intoArray(y, y1);
    b1.intoArray(y, y1 + LANES);
    a2.intoArray(y, y2);
    b2.intoArray(y, y2 + LANES);
    a3.intoArray(y, y3);
    b3.intoArray(y, y3 + LANES);
    a4.intoArray(y, y4);
    b4.intoArray(y, y4 + LANES);
    a5.intoArray(y, y5);
    b5.intoArray(y, y5 + LANES);
  }

  @Override
  public void scores(
      float[] keys,
      int keysAt,
      float[] query,
      int queryAt,
      int depth,
      float[] scores,
      int scoresAt) {
    java.util.Arrays.fill(scores, scoresAt, scoresAt + TILE, 0f);
    for (int r = 0; r < TILE; r += 2 * LANES) {
      oneToken(keys, keysAt + r, depth, query, queryAt, scores, scoresAt + r);
    }
  }

  @Override
  public void addScaled(
      float weight, float[] values, int valuesAt, float[] sums, int sumsAt, int count) {
    FloatVector factor = FloatVector.broadcast(FLOATS, weight);
    int i = 0;
    for (; i + LANES <= count; i += LANES) {
      FloatVector.fromArray(FLOATS, values, valuesAt + i)
          .fma(factor, FloatVector.fromArray(FLOATS, sums, sumsAt + i))
          .intoArray(sums, sumsAt + i);
    }
    for (; i < count; i++) {
      sums[sumsAt + i] = Math.fma(weight, values[valuesAt + i], sums[sumsAt + i]);
    }
  }
}
