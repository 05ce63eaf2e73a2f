package moxin.infer;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import moxin.model.Logits;

/// Draws tokens from logits. Mutable; for one thread.
///
/// The order is that of Hugging Face: temperature, top-k, top-p, min-p, then one draw from what is
/// left, renormalised. Tokens are ranked by logit, lower ids first on ties. All in float64, with a
/// generator of its own (SplitMix64, Steele et al. 2014), so that a seed means the same everywhere.
public final class Sampler {
  private final SamplingOptions options;
  private long state;

  public Sampler(SamplingOptions options) {
    this.options = options;
    this.state = options.seed();
  }

  /// A token for row `row` of `logits`.
  ///
  /// @throws IllegalArgumentException if the largest logit is not finite
  public int sample(Logits logits, int row) {
    int best = logits.argmax(row);
    if (!Float.isFinite(logits.at(row, best))) {
      throw new IllegalArgumentException("the logits are not finite");
    }
    if (options.temperature() == 0) {
      return best;
    }
    int[] ranked = ranked(logits, row);
    double[] weights = weights(logits, row, ranked);
    int kept = keep(weights);
    double target = nextDouble() * sum(weights, kept);
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      sum += weights[i];
      if (target < sum) {
        return ranked[i];
      }
    }
    return ranked[kept - 1];
  }

  private int[] ranked(Logits logits, int row) {
    Comparator<Integer> byLogit = Comparator.comparingDouble(id -> -logits.at(row, id));
    IntStream ranked =
        IntStream.range(0, logits.vocabSize())
            .filter(id -> !Float.isNaN(logits.at(row, id)))
            .boxed()
            .sorted(byLogit)
            .mapToInt(Integer::intValue);
    return (options.topK() == 0 ? ranked : ranked.limit(options.topK())).toArray();
  }

  /// Weights relative to the most probable token's, which is 1.
  private double[] weights(Logits logits, int row, int[] ranked) {
    double max = logits.at(row, ranked[0]);
    return Arrays.stream(ranked)
        .mapToDouble(id -> Math.exp((logits.at(row, id) - max) / options.temperature()))
        .toArray();
  }

  private int keep(double[] weights) {
    int kept = weights.length;
    if (options.topP() < 1) {
      double limit = options.topP() * sum(weights, kept);
      double sum = 0;
      kept = 0;
      while (kept < weights.length && sum < limit) {
        sum += weights[kept++];
      }
    }
    while (kept > 1 && weights[kept - 1] < options.minP()) {
      kept--;
    }
    return kept;
  }

  private static double sum(double[] weights, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
    }
    return sum;
  }

  private double nextDouble() {
    state += 0x9E3779B97F4A7C15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    z ^= z >>> 31;
    return (z >>> 11) * 0x1.0p-53;
  }
}
