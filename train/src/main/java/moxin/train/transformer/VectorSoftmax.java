package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.FLOATS;
import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.exp;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Softmax of attention scores, row by row within the keys that the row's position sees, and its
/// gradient. `keys` is a multiple of the lanes; what lies outside the visible range becomes zero.
final class VectorSoftmax {
  private static final FloatVector LANE_INDEX = FloatVector.zero(FLOATS).addIndex(1);
  private static final float NEGLIGIBLE = -87f;

  private VectorSoftmax() {}

  /// Overwrites scores by probabilities.
  ///
  /// @param first the first visible key of a row
  /// @param last the last visible key of a row, inclusive
  /// @param work room for `keys` numbers and the lanes of a vector
  static void forward(
      int keys, boolean bf16, long scores, int first, int last, float scale, float[] work) {
    int from = first - first % LANES;
    int to = last - last % LANES + LANES;
    FloatVector least = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    FloatVector max = least;
    for (int i = from; i < to; i += LANES) {
      FloatVector x = load(bf16, scores, i, keys);
      if (i < first || i + LANES > last + 1) {
        x = least.blend(x, VectorMemory.within(LANE_INDEX, i, first, last));
      }
      x.intoArray(work, i);
      max = max.max(x);
    }
    float greatest = max.reduceLanes(VectorOperators.MAX);
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = from; i < to; i += LANES) {
      FloatVector y = FloatVector.fromArray(FLOATS, work, i).sub(greatest).mul(scale);
      FloatVector e = exp(y).blend(0f, y.compare(VectorOperators.LT, NEGLIGIBLE));
      e.intoArray(work, i);
      sum = sum.add(e);
    }
    float inverse = (float) (1 / VectorMemory.sum(sum, work, keys));
    VectorMemory.zero(bf16, scores, 0, from);
    for (int i = from; i < to; i += LANES) {
      store(bf16, scores, i, keys, FloatVector.fromArray(FLOATS, work, i).mul(inverse));
    }
    VectorMemory.zero(bf16, scores, to, keys);
  }

  /// Overwrites the gradient of the probabilities by that of the unscaled scores.
  static void backward(
      int keys,
      boolean bf16,
      long probabilities,
      long gradient,
      int first,
      int last,
      float scale,
      float[] work) {
    int from = first - first % LANES;
    int to = last - last % LANES + LANES;
    FloatVector dot = FloatVector.zero(FLOATS);
    for (int i = from; i < to; i += LANES) {
      dot = load(bf16, probabilities, i, keys).fma(load(bf16, gradient, i, keys), dot);
    }
    float mean = (float) VectorMemory.sum(dot, work, keys);
    VectorMemory.zero(bf16, gradient, 0, from);
    for (int i = from; i < to; i += LANES) {
      FloatVector p = load(bf16, probabilities, i, keys).mul(scale);
      store(bf16, gradient, i, keys, p.mul(load(bf16, gradient, i, keys).sub(mean)));
    }
    VectorMemory.zero(bf16, gradient, to, keys);
  }
}
