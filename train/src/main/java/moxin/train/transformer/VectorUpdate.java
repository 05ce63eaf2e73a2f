package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.FLOATS;
import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// What is done to gradients and weights as flat arrays, in ranges.
final class VectorUpdate {

  private VectorUpdate() {}

  /// `sum += part` over elements `[from, to)`; `sum` in fp32.
  static void add(long sum, boolean bf16, long part, int from, int to) {
    for (int i = from; i < to; i += LANES) {
      store(false, sum, i, to, load(false, sum, i, to).add(load(bf16, part, i, to)));
    }
  }

  /// Σ x² of fp32 elements `[from, to)`, in float64.
  static double squaredNorm(long x, int from, int to) {
    float[] lanes = new float[LANES];
    double total = 0;
    int block = 64 * LANES;
    for (int start = from; start < to; start += block) {
      int end = Math.min(start + block, to);
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = start; i < end; i += LANES) {
        FloatVector value = load(false, x, i, end);
        sum = value.fma(value, sum);
      }
      total += VectorMemory.sum(sum, lanes);
    }
    return total;
  }

  /// One AdamW step on elements `[from, to)`; the gradient is zeroed and the compute copy of the
  /// weights written.
  static void adamW(AdamWStep step, FlatState state, boolean bf16, float decay, int from, int to) {
    Factors f = Factors.of(step, decay);
    for (int i = from; i < to; i += LANES) {
      FloatVector g = load(false, state.gradient(), i, to).mul(f.gradientScale());
      FloatVector m = load(false, state.first(), i, to);
      FloatVector v = load(false, state.second(), i, to);
      FloatVector w = load(false, state.weights(), i, to).mul(f.keep());
      m = m.add(g.sub(m).mul(f.rest1()));
      v = v.mul(f.beta2()).add(g.mul(g).mul(f.rest2()));
      w = f.moved(w, m, v);
      store(false, state.first(), i, to, m);
      store(false, state.second(), i, to, v);
      store(false, state.weights(), i, to, w);
      store(false, state.gradient(), i, to, FloatVector.zero(FLOATS));
      if (bf16) {
        store(true, state.compute(), i, to, w);
      }
    }
  }

  /// The numbers of a step in fp32.
  record Factors(
      float keep,
      float rest1,
      float beta2,
      float rest2,
      float stepSize,
      float root2,
      float epsilon,
      float gradientScale) {

    static Factors of(AdamWStep step, float decay) {
      return new Factors(
          1 - (float) (step.learningRate() * decay),
          (float) (1 - step.beta1()),
          (float) step.beta2(),
          (float) (1 - step.beta2()),
          (float) (step.learningRate() / step.correction1()),
          (float) Math.sqrt(step.correction2()),
          (float) step.epsilon(),
          (float) step.gradientScale());
    }

    /// Decayed weights after a step along their new moments.
    FloatVector moved(FloatVector w, FloatVector m, FloatVector v) {
      FloatVector denominator = v.lanewise(VectorOperators.SQRT).div(root2).add(epsilon);
      return w.sub(m.div(denominator).mul(stepSize));
    }
  }

  /// The addresses of the flat arrays that a step touches; all in fp32 but `compute`.
  record FlatState(long weights, long gradient, long first, long second, long compute) {}

  /// Copies rows `ids` of a table `(V, C)` of the compute type into `x (n, C)` in fp32.
  static void gatherRows(int hidden, boolean bf16, long table, int[] ids, long x) {
    long rowBytes = (long) VectorMemory.bytes(bf16) * hidden;
    for (int n = 0; n < ids.length; n++) {
      long row = table + rowBytes * ids[n];
      long out = x + 4L * n * hidden;
      for (int i = 0; i < hidden; i += LANES) {
        store(false, out, i, hidden, load(bf16, row, i, hidden));
      }
    }
  }

  /// Adds row n of `dx (n, C)` to row `ids[n]` of `gradient (V, C)`, both fp32, for the ids of one
  /// of `parts` parts, so that several threads can share the work and each row is added in order.
  static void addRows(int hidden, long dx, int[] ids, long gradient, int part, int parts) {
    for (int n = 0; n < ids.length; n++) {
      if (ids[n] % parts == part) {
        add(gradient + 4L * ids[n] * hidden, false, dx + 4L * n * hidden, 0, hidden);
      }
    }
  }
}
