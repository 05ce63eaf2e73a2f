package moxin.infer;

import java.util.Arrays;

/// Locally typical sampling (Meister et al. 2023): the tokens whose surprise −ln p is nearest to
/// the entropy of the distribution.
final class TypicalTokens {

  private TypicalTokens() {}

  /// Moves the typical tokens among the first `count` to the front, in their order, and returns how
  /// many they are: the fewest that reach `mass`, nearest to the entropy first, at least one.
  ///
  /// @param weights of the tokens `ids`, in proportion to their probabilities
  static int keep(int[] ids, double[] weights, int count, double mass) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
    }
    double entropy = 0;
    for (int i = 0; i < count; i++) {
      double p = weights[i] / sum;
      entropy -= p > 0 ? p * Math.log(p) : 0;
    }
    double threshold = threshold(weights, count, sum, entropy, mass);
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (distance(weights[i] / sum, entropy) <= threshold) {
        ids[kept] = ids[i];
        weights[kept++] = weights[i];
      }
    }
    return kept;
  }

  /// The distance of the last token that is kept. Tokens at the same distance go together.
  private static double threshold(
      double[] weights, int count, double sum, double entropy, double mass) {
    record Surprise(double distance, double probability) {}
    Surprise[] surprises = new Surprise[count];
    for (int i = 0; i < count; i++) {
      double p = weights[i] / sum;
      surprises[i] = new Surprise(distance(p, entropy), p);
    }
    Arrays.sort(surprises, (a, b) -> Double.compare(a.distance(), b.distance()));
    double reached = 0;
    int last = 0;
    while (last < count - 1 && (reached += surprises[last].probability()) < mass) {
      last++;
    }
    return surprises[last].distance();
  }

  private static double distance(double probability, double entropy) {
    return Math.abs(-Math.log(probability) - entropy);
  }
}
