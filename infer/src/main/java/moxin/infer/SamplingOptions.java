package moxin.infer;

/// How the next token is drawn.
///
/// @param temperature divides the logits; 0 takes the most probable token and ignores the rest
/// @param topK keeps the most probable so many; 0 keeps all
/// @param topP keeps the most probable tokens until their probabilities reach this sum; 1 keeps all
/// @param minP keeps tokens at least this times as probable as the most probable; 0 keeps all
/// @param seed of the generator; the same seed draws the same tokens
public record SamplingOptions(double temperature, int topK, double topP, double minP, long seed) {

  public SamplingOptions {
    if (!(temperature >= 0 && temperature <= 100)) {
      throw new IllegalArgumentException("temperature must be in [0, 100], found " + temperature);
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top-k must be at least 0, found " + topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("top-p must be in (0, 1], found " + topP);
    }
    if (!(minP >= 0 && minP <= 1)) {
      throw new IllegalArgumentException("min-p must be in [0, 1], found " + minP);
    }
  }

  /// The most probable token, the lowest id on ties.
  public static SamplingOptions greedy() {
    return new SamplingOptions(0, 0, 1, 0, 0);
  }

  /// Draws from the whole distribution at `temperature`.
  public static SamplingOptions of(double temperature, long seed) {
    return new SamplingOptions(temperature, 0, 1, 0, seed);
  }
}
