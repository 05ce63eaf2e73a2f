package moxin.infer.schedule;

import java.util.SplittableRandom;
import moxin.infer.Sampler;

/// The probabilities of the next token, one for each id of the vocabulary.
final class TokenDistribution {
  private final double[] probabilities;

  TokenDistribution(double[] probabilities) {
    this.probabilities = probabilities;
  }

  /// What a sampler draws from.
  static TokenDistribution of(Sampler.Distribution distribution, int vocabSize) {
    double[] probabilities = new double[vocabSize];
    for (int i = 0; i < distribution.ids().length; i++) {
      probabilities[distribution.ids()[i]] = distribution.probabilities()[i];
    }
    return new TokenDistribution(probabilities);
  }

  double probability(int id) {
    return probabilities[id];
  }

  int draw(SplittableRandom random) {
    return draw(probabilities, random.nextDouble());
  }

  /// A token drawn from the positive part of this distribution less `other`, renormalised.
  int drawBeyond(TokenDistribution other, SplittableRandom random) {
    double[] rest = new double[probabilities.length];
    double sum = 0;
    for (int id = 0; id < rest.length; id++) {
      rest[id] = Math.max(0, probabilities[id] - other.probabilities[id]);
      sum += rest[id];
    }
    // Both the same to the last bits: what rounding left over is as good as the distribution
    // itself.
    return sum > 0 ? draw(rest, random.nextDouble() * sum) : draw(random);
  }

  private static int draw(double[] weights, double target) {
    double sum = 0;
    int last = 0;
    for (int id = 0; id < weights.length; id++) {
      if (weights[id] > 0) {
        sum += weights[id];
        last = id;
        if (target < sum) {
          return id;
        }
      }
    }
    return last;
  }
}
