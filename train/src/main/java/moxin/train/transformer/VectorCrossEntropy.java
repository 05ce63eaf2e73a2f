package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.FLOATS;
import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.exp;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import moxin.train.Batch;

/// Cross entropy of rows of logits against target ids, with the gradient in place of the logits.
final class VectorCrossEntropy {

  private VectorCrossEntropy() {}

  /// Σ loss in nats over the rows whose target is not [Batch#IGNORED].
  ///
  /// @param logits `(rows, V)`
  /// @param targets read from `from` on
  static double loss(int rows, int vocabulary, boolean bf16, long logits, int[] targets, int from) {
    double loss = 0;
    float[] lanes = new float[LANES];
    long bytes = VectorMemory.bytes(bf16);
    for (int row = 0; row < rows; row++) {
      int target = targets[from + row];
      if (target != Batch.IGNORED) {
        long at = logits + bytes * row * vocabulary;
        float max = max(vocabulary, bf16, at);
        double sum = sumOfExponentials(vocabulary, bf16, at, max, lanes);
        loss += Math.log(sum) + max - VectorMemory.loadOne(bf16, at, target);
      }
    }
    return loss;
  }

  /// As [#loss], and overwrites the logits by the gradient of `scale · Σ (loss + zLoss · log² Z)`:
  /// `scale · ((1 + 2 · zLoss · log Z) · softmax − one-hot target)`, zeros where the target is
  /// ignored.
  static double lossAndGradient(
      int rows,
      int vocabulary,
      boolean bf16,
      long logits,
      int[] targets,
      int from,
      double scale,
      double zLoss) {
    double loss = 0;
    float[] lanes = new float[LANES];
    long bytes = VectorMemory.bytes(bf16);
    for (int row = 0; row < rows; row++) {
      int target = targets[from + row];
      long at = logits + bytes * row * vocabulary;
      if (target == Batch.IGNORED) {
        VectorMemory.zero(bf16, at, 0, vocabulary);
        continue;
      }
      float max = max(vocabulary, bf16, at);
      double sum = sumOfExponentials(vocabulary, bf16, at, max, lanes);
      float logit = VectorMemory.loadOne(bf16, at, target);
      loss += Math.log(sum) + max - logit;
      double share = scale * (1 + 2 * zLoss * (Math.log(sum) + max));
      gradient(vocabulary, bf16, at, max, (float) (share / sum));
      double probability = Math.exp((double) logit - max) / sum;
      VectorMemory.storeOne(
          bf16, at, target, (float) (scale * (probability - 1) + (share - scale) * probability));
    }
    return loss;
  }

  private static float max(int vocabulary, boolean bf16, long logits) {
    FloatVector max = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    int whole = vocabulary - vocabulary % LANES;
    for (int i = 0; i < whole; i += LANES) {
      max = max.max(load(bf16, logits, i, vocabulary));
    }
    float greatest = max.reduceLanes(VectorOperators.MAX);
    for (int i = whole; i < vocabulary; i++) {
      greatest = Math.max(greatest, VectorMemory.loadOne(bf16, logits, i));
    }
    return greatest;
  }

  private static double sumOfExponentials(
      int vocabulary, boolean bf16, long logits, float max, float[] lanes) {
    FloatVector sum = FloatVector.zero(FLOATS);
    int whole = vocabulary - vocabulary % LANES;
    for (int i = 0; i < whole; i += LANES) {
      sum = sum.add(exp(load(bf16, logits, i, vocabulary).sub(max)));
    }
    if (whole < vocabulary) {
      VectorMask<Float> inside = FLOATS.indexInRange(whole, vocabulary);
      sum = sum.add(exp(load(bf16, logits, whole, vocabulary).sub(max)), inside);
    }
    return VectorMemory.sum(sum, lanes);
  }

  private static void gradient(int vocabulary, boolean bf16, long logits, float max, float scale) {
    for (int i = 0; i < vocabulary; i += LANES) {
      FloatVector e = exp(load(bf16, logits, i, vocabulary).sub(max));
      store(bf16, logits, i, vocabulary, e.mul(scale));
    }
  }
}
