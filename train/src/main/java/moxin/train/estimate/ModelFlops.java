package moxin.train.estimate;

import moxin.model.ModelConfig;

/// The floating-point operations that a model needs to learn from one token, forward and backward.
/// What is computed again to save memory does not count.
///
/// There are two counts. [#perToken] is the numerator of model FLOPs utilisation as in PaLM
/// (Chowdhery et al. 2022, appendix B), comparable with published figures: 6 for each weight and
/// 12·L·H·D·T for attention, as if there were no causal mask, T capped at the sliding window.
/// [#unmasked] is what a program that skips the masked half must do, for a comparison with the rate
/// of matrix products: it is smaller, so that a benchmark does not praise itself.
///
/// @param weights of projections, and in the first count of the rows looked up too
/// @param attention of scores and values
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

  /// Per token of rows of `contextLength` tokens, with 6 for each weight of a matrix that is
  /// multiplied by and 12·L·H·D for each position that a position sees on average.
  public static ModelFlops unmasked(ModelConfig config, int contextLength) {
    long embedding = (long) config.vocabSize() * config.hiddenSize();
    long lookedUp = config.tieWordEmbeddings() ? 0 : embedding;
    double window = Math.min(contextLength, config.slidingWindow().orElse(contextLength));
    double visible = window - window * (window - 1) / (2.0 * contextLength) - 0.5;
    return new ModelFlops(
        6.0 * (config.parameterCount() - lookedUp),
        12.0 * config.numHiddenLayers() * config.numAttentionHeads() * config.headDim() * visible);
  }

  /// Both together.
  public double total() {
    return weights + attention;
  }
}
