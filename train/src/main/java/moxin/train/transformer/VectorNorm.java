package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.FLOATS;
import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.store;
import static moxin.train.transformer.VectorMemory.sum;

import jdk.incubator.vector.FloatVector;

/// RMSNorm over rows of a residual stream in fp32 (Zhang and Sennrich 2019), with the addition
/// before it. Addresses are of contiguous `(rows, C)` arrays.
final class VectorNorm {

  private VectorNorm() {}

  /// `sum = x + delta`, then `normed = sum · rstd · weight`; without `delta` (address 0) `x` is
  /// normed and `sum` left alone.
  static void forward(
      int rows,
      int hidden,
      boolean bf16,
      long x,
      long delta,
      long weight,
      double epsilon,
      long sum,
      long normed,
      long rstd) {
    float[] lanes = new float[LANES];
    long bytes = VectorMemory.bytes(bf16);
    for (int row = 0; row < rows; row++) {
      long rowOffset = (long) row * hidden;
      long in = x + 4 * rowOffset;
      double squares;
      if (delta != 0) {
        long out = sum + 4 * rowOffset;
        squares = addAndSquare(hidden, bf16, in, delta + bytes * rowOffset, out, lanes);
        in = out;
      } else {
        squares = square(hidden, in, lanes);
      }
      float scale = (float) (1 / Math.sqrt(squares / hidden + epsilon));
      VectorMemory.storeOne(false, rstd, row, scale);
      scale(hidden, bf16, in, weight, scale, normed + bytes * rowOffset);
    }
  }

  private static double addAndSquare(
      int hidden, boolean bf16, long x, long delta, long out, float[] lanes) {
    FloatVector squares = FloatVector.zero(FLOATS);
    for (int i = 0; i < hidden; i += LANES) {
      FloatVector value = load(false, x, i, hidden).add(load(bf16, delta, i, hidden));
      store(false, out, i, hidden, value);
      squares = value.fma(value, squares);
    }
    return sum(squares, lanes);
  }

  private static double square(int hidden, long x, float[] lanes) {
    FloatVector squares = FloatVector.zero(FLOATS);
    for (int i = 0; i < hidden; i += LANES) {
      FloatVector value = load(false, x, i, hidden);
      squares = value.fma(value, squares);
    }
    return sum(squares, lanes);
  }

  private static void scale(
      int hidden, boolean bf16, long x, long weight, float scale, long normed) {
    for (int i = 0; i < hidden; i += LANES) {
      FloatVector value = load(false, x, i, hidden).mul(scale).mul(load(false, weight, i, hidden));
      store(bf16, normed, i, hidden, value);
    }
  }

  /// Adds to `dx` (fp32) the gradient of the norm's input, writes the sum once more as `dxNarrow`
  /// in the compute type, and adds to `dWeight` (fp32) that of the weight.
  static void backward(
      int rows,
      int hidden,
      boolean bf16,
      long dNormed,
      long x,
      long rstd,
      long weight,
      long dx,
      long dxNarrow,
      long dWeight) {
    float[] lanes = new float[LANES];
    long bytes = VectorMemory.bytes(bf16);
    for (int row = 0; row < rows; row++) {
      long rowOffset = (long) row * hidden;
      float scale = VectorMemory.loadOne(false, rstd, row);
      long dy = dNormed + bytes * rowOffset;
      long in = x + 4 * rowOffset;
      double dot = weightGradient(hidden, bf16, dy, in, weight, scale, dWeight, lanes);
      float mean = (float) (dot / hidden);
      long out = dx + 4 * rowOffset;
      long narrow = dxNarrow + bytes * rowOffset;
      inputGradient(hidden, bf16, dy, in, weight, scale, mean, out, narrow);
    }
  }

  private static double weightGradient(
      int hidden,
      boolean bf16,
      long dy,
      long x,
      long weight,
      float scale,
      long dWeight,
      float[] lanes) {
    FloatVector dot = FloatVector.zero(FLOATS);
    for (int i = 0; i < hidden; i += LANES) {
      FloatVector g = load(bf16, dy, i, hidden);
      FloatVector product = g.mul(load(false, x, i, hidden).mul(scale));
      store(false, dWeight, i, hidden, load(false, dWeight, i, hidden).add(product));
      dot = product.fma(load(false, weight, i, hidden), dot);
    }
    return sum(dot, lanes);
  }

  private static void inputGradient(
      int hidden,
      boolean bf16,
      long dy,
      long x,
      long weight,
      float scale,
      float mean,
      long dx,
      long dxNarrow) {
    FloatVector minusMean = FloatVector.broadcast(FLOATS, -mean);
    for (int i = 0; i < hidden; i += LANES) {
      FloatVector g = load(bf16, dy, i, hidden).mul(load(false, weight, i, hidden));
      FloatVector normed = load(false, x, i, hidden).mul(scale);
      FloatVector total = normed.fma(minusMean, g).mul(scale).add(load(false, dx, i, hidden));
      store(false, dx, i, hidden, total);
      store(bf16, dxNarrow, i, hidden, total);
    }
  }
}
