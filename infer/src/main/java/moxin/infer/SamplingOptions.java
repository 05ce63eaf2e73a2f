package moxin.infer;

import java.util.Map;

/// How the next token is drawn.
///
/// @param temperature divides the logits; 0 takes the most probable token and truncates nothing
/// @param topK keeps the most probable so many; 0 keeps all
/// @param topP keeps the most probable tokens until their probabilities reach this sum; 1 keeps all
/// @param minP keeps tokens at least this times as probable as the most probable; 0 keeps all
/// @param typicalP keeps the tokens whose surprise is nearest to the entropy until their
///   probabilities reach this sum; 1 keeps all
/// @param penalties what tokens lose for having appeared before
/// @param logitBias token id → what is added to its logit; −∞ forbids the token
/// @param seed of the generator; the same seed draws the same tokens
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    double typicalP,
    Penalties penalties,
    Map<Integer, Double> logitBias,
    long seed) {

  public SamplingOptions {
    require(temperature >= 0 && temperature <= 100, "temperature", "in [0, 100]", temperature);
    require(topK >= 0, "top-k", "at least 0", topK);
    require(topP > 0 && topP <= 1, "top-p", "in (0, 1]", topP);
    require(minP >= 0 && minP <= 1, "min-p", "in [0, 1]", minP);
    require(typicalP > 0 && typicalP <= 1, "typical-p", "in (0, 1]", typicalP);
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach(
        (id, bias) -> {
          require(id >= 0, "the id of a logit bias", "at least 0", id);
          require(bias < Double.POSITIVE_INFINITY, "a logit bias", "a number or -inf", bias);
        });
  }

  /// Without typical-p, penalties and bias.
  public SamplingOptions(double temperature, int topK, double topP, double minP, long seed) {
    this(temperature, topK, topP, minP, 1, Penalties.NONE, Map.of(), seed);
  }

  /// What tokens lose for having appeared in the last `window` tokens.
  ///
  /// @param repetition divides a positive logit and multiplies a negative one, once for each token
  ///   in the window, which reaches back into the prompt (Keskar et al. 2019); 1 changes nothing
  /// @param presence is taken from the logit of each new token in the window, once; the prompt does
  ///   not count
  /// @param frequency is taken from it for every time that the token is in the window; the prompt
  ///   does not count
  /// @param window how many tokens back appearances count
  public record Penalties(double repetition, double presence, double frequency, int window) {
    /// No token loses anything.
    public static final Penalties NONE = new Penalties(1, 0, 0, Integer.MAX_VALUE);

    public Penalties {
      require(repetition > 0 && repetition <= 100, "repetition penalty", "in (0, 100]", repetition);
      require(Math.abs(presence) <= 100, "presence penalty", "in [-100, 100]", presence);
      require(Math.abs(frequency) <= 100, "frequency penalty", "in [-100, 100]", frequency);
      require(window >= 0, "penalty window", "at least 0", window);
    }

    /// Whether no logit changes.
    public boolean isNone() {
      return window == 0 || (repetition == 1 && presence == 0 && frequency == 0);
    }
  }

  /// The most probable token, the lowest id on ties.
  public static SamplingOptions greedy() {
    return of(0, 0);
  }

  /// Draws from the whole distribution at `temperature`.
  public static SamplingOptions of(double temperature, long seed) {
    return new SamplingOptions(temperature, 0, 1, 0, seed);
  }

  /// These options with `topK`.
  public SamplingOptions withTopK(int topK) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  /// These options with `topP`.
  public SamplingOptions withTopP(double topP) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  /// These options with `minP`.
  public SamplingOptions withMinP(double minP) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  /// These options with `typicalP`.
  public SamplingOptions withTypicalP(double typicalP) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  /// These options with `penalties`.
  public SamplingOptions withPenalties(Penalties penalties) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  /// These options with `logitBias`.
  public SamplingOptions withLogitBias(Map<Integer, Double> logitBias) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  /// These options with `seed`.
  public SamplingOptions withSeed(long seed) {
    return new SamplingOptions(temperature, topK, topP, minP, typicalP, penalties, logitBias, seed);
  }

  private static void require(boolean holds, String what, String expected, Number found) {
    if (!holds) {
      throw new IllegalArgumentException(what + " must be " + expected + ", found " + found);
    }
  }
}
