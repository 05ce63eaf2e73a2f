package moxin.eval;

/// The answer to a [Request].
public sealed interface Response {

  /// How probable the wanted tokens are.
  ///
  /// @param logProbability the sum of their natural logarithms of probability
  /// @param greedy whether each was the most probable token, as greedy decoding would have chosen
  /// @param tokens how many
  record Score(double logProbability, boolean greedy, int tokens) implements Response {}

  /// Generated text, without the stop string.
  record Text(String text) implements Response {}
}
