package moxin.infer.schedule;

import java.util.Arrays;
import moxin.infer.SamplingOptions;
import moxin.model.Logits;

/// The probabilities of the next token after temperature, top-k, top-p and min-p, in this order,
/// computed plainly: tokens are ranked by logit, lower ids first on ties.
final class ReferenceDistribution {
  private ReferenceDistribution() {}

  /// The distribution of row `row`.
  ///
  /// @throws IllegalArgumentException if the temperature is 0 or the largest logit is not finite
  static TokenDistribution of(Logits logits, int row, SamplingOptions options) {
    if (options.temperature() == 0) {
      throw new IllegalArgumentException("a greedy choice has no distribution");
    }
    float max = logits.at(row, logits.argmax(row));
    if (!Float.isFinite(max)) {
      throw new IllegalArgumentException("the logits are not finite");
    }
    double[] weights = new double[logits.vocabSize()];
    for (int id = 0; id < weights.length; id++) {
      double weight = Math.exp(((double) logits.at(row, id) - max) / options.temperature());
      weights[id] = Double.isNaN(weight) ? 0 : weight;
    }
    truncate(logits, row, options, weights);
    double sum = Arrays.stream(weights).sum();
    for (int id = 0; id < weights.length; id++) {
      weights[id] /= sum;
    }
    return new TokenDistribution(weights);
  }

  private static void truncate(Logits logits, int row, SamplingOptions options, double[] weights) {
    if (options.topK() > 0 || options.topP() < 1) {
      int[] ranked = ranked(logits, row);
      int kept = options.topK() == 0 ? ranked.length : Math.min(ranked.length, options.topK());
      if (options.topP() < 1) {
        kept = reaching(options.topP(), weights, ranked, kept);
      }
      for (int rank = kept; rank < ranked.length; rank++) {
        weights[ranked[rank]] = 0;
      }
    }
    for (int id = 0; id < weights.length; id++) {
      if (weights[id] < options.minP()) {
        weights[id] = 0;
      }
    }
  }

  /// How many of the first `count` ranks reach the share `topP` of their sum.
  private static int reaching(double topP, double[] weights, int[] ranked, int count) {
    double sum = 0;
    for (int rank = 0; rank < count; rank++) {
      sum += weights[ranked[rank]];
    }
    double limit = topP * sum;
    double reached = 0;
    int kept = 0;
    while (kept < count && reached < limit) {
      reached += weights[ranked[kept++]];
    }
    return kept;
  }

  private static int[] ranked(Logits logits, int row) {
    long[] keys = new long[logits.vocabSize()];
    int count = 0;
    for (int id = 0; id < keys.length; id++) {
      float logit = logits.at(row, id);
      if (!Float.isNaN(logit)) {
        int bits = Float.floatToRawIntBits(logit);
        int ascending = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
        keys[count++] = ((long) ~ascending << 32) | id;
      }
    }
    Arrays.sort(keys, 0, count);
    return Arrays.stream(keys, 0, count).mapToInt(key -> (int) key).toArray();
  }
}
