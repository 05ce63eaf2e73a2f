package moxin.train.estimate;

import moxin.model.ModelConfig;

/// The floating-point operations that a model needs to learn from one token, forward and backward:
/// the numerator of model FLOPs utilisation as in PaLM (Chowdhery et al. 2022, appendix B), 6 for
/// each weight and 12·L·H·D·T for attention. What is computed again to save memory does not count,
/// nor does the causal mask's half; a sliding window shorter than T does.
///
/// @param weights 6·P
/// @param attention 12·L·H·D·min(T, window)
public record ModelFlops(double weights, double attention) {

  /// How the two are computed.
  public static final String FORMULA = "6·P + 12·L·H·D·min(T, window)";

  /// Per token of rows of `contextLength` tokens.
  public static ModelFlops perToken(ModelConfig config, int contextLength) {
    int visible = Math.min(contextLength, config.slidingWindow().orElse(contextLength));
    return new ModelFlops(
        6.0 * config.parameterCount(),
        12.0 * config.numHiddenLayers() * config.numAttentionHeads() * config.headDim() * visible);
  }

  /// Both together.
  public double total() {
    return weights + attention;
  }
}
