package moxin.eval;

/// What one document contributes to a metric: a value, and the weight by which sums of values are
/// divided (words, bytes or tokens for likelihoods; 1 for a mean).
public record Observation(double value, double weight) {

  /// A value of weight 1.
  public static Observation of(double value) {
    return new Observation(value, 1);
  }
}
