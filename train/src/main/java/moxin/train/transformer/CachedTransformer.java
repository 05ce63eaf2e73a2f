package moxin.train.transformer;

import java.util.List;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.torch.Tensor;

/// The forward pass over new tokens of several sessions, whose earlier tokens are in their caches:
/// [Transformer] without what a backward pass needs. Immutable.
final class CachedTransformer {
  private final ModelConfig config;
  private final Kernels kernels;
  private final ModelWeights weights;
  private final DType type;
  private final Device device;

  CachedTransformer(
      ModelConfig config, Kernels kernels, ModelWeights weights, DType type, Device device) {
    this.config = config;
    this.kernels = kernels;
    this.weights = weights;
    this.type = type;
    this.device = device;
  }

  /// Sees the residual stream, `(N, C)`, where blocks begin and after the last.
  @FunctionalInterface
  interface Observer {
    void observe(int layer, Tensor hidden);
  }

  /// Runs the tokens `ids (N)` at `positions` and returns the hidden states after the final norm,
  /// `(N, C)`; all tensors belong to the current scope.
  Tensor run(int[] ids, int[] positions, List<PassShare> shares, Observer observer) {
    int tokens = ids.length;
    int hidden = config.hiddenSize();
    int queries = config.numAttentionHeads() * config.headDim();
    int keys = config.numKeyValueHeads() * config.headDim();
    Tensor x = Tensor.empty(DType.F32, device, tokens, hidden);
    Tensor rstd = Tensor.empty(DType.F32, device, tokens);
    Tensor normed = activations(tokens, hidden);
    Tensor projected = activations(tokens, queries + 2 * keys);
    Tensor attended = activations(tokens, queries);
    Tensor branch = activations(tokens, hidden);
    Tensor gateUp = activations(tokens, 2 * config.intermediateSize());
    Tensor activated = activations(tokens, config.intermediateSize());
    CachedAttention attention = new CachedAttention(config, positions, type, device);
    NormViews norms = weights.norms();
    kernels.embed(weights.blocks().embedding(), ids, x);
    kernels.norm(x, norms.attention().getFirst(), config.rmsNormEps(), normed, rstd);
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      BlockViews.Matrices matrices = weights.blocks().matrices().get(layer);
      observer.observe(layer, x);
      Transformer.product(projected, normed, matrices.projections());
      attention.forward(layer, shares, projected, attended);
      Transformer.product(branch, attended, matrices.output());
      addNorm(x, branch, norms.feedForward().get(layer), normed, rstd);
      Transformer.product(gateUp, normed, matrices.gateUp());
      kernels.swiGlu(gateUp, activated);
      Transformer.product(branch, activated, matrices.down());
      boolean last = layer == config.numHiddenLayers() - 1;
      addNorm(x, branch, last ? norms.last() : norms.attention().get(layer + 1), normed, rstd);
    }
    observer.observe(config.numHiddenLayers(), x);
    return normed;
  }

  /// The logits of `normed (n, C)`, `(n, V)` in the compute type.
  Tensor logits(Tensor normed) {
    Tensor logits = activations((int) normed.shape()[0], config.vocabSize());
    Transformer.product(logits, normed, weights.blocks().head());
    return logits;
  }

  /// `x += delta`, and its norm.
  private void addNorm(Tensor x, Tensor delta, Tensor weight, Tensor normed, Tensor rstd) {
    kernels.addNorm(x, delta, weight, config.rmsNormEps(), x, normed, rstd);
  }

  private Tensor activations(int tokens, int width) {
    return Tensor.empty(type, device, tokens, width);
  }
}
