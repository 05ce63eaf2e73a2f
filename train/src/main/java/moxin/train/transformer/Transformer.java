package moxin.train.transformer;

import moxin.model.ModelConfig;
import moxin.torch.Aten;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// A decoder of Mistral's design, forward and backward by hand: blocks of RMSNorm, grouped-query
/// attention with rotary embedding, RMSNorm and SwiGLU around a residual stream, then RMSNorm and
/// the output projection.
///
/// Immutable; several slices may pass at once, each in its own [Workspace].
final class Transformer {
  private final ModelConfig config;
  private final Kernels kernels;
  private final BlockViews weights;
  private final NormViews norms;
  private final double zLoss;

  /// @param zLoss the weight of log² Z in the loss whose gradient [#learn] writes
  Transformer(
      ModelConfig config, Kernels kernels, BlockViews weights, NormViews norms, double zLoss) {
    this.zLoss = zLoss;
    this.config = config;
    this.kernels = kernels;
    this.weights = weights;
    this.norms = norms;
  }

  /// Σ loss in nats over the targets of `batch`.
  double loss(SliceBatch batch, Workspace workspace) {
    return loss(batch, workspace, Adapters.NONE, LayerPass.UNWATCHED);
  }

  /// As [#loss], with `adapters`, telling `pass` where it is.
  double loss(SliceBatch batch, Workspace workspace, Adapters adapters, LayerPass pass) {
    try (Scope _ = Scope.open()) {
      forward(batch, workspace, adapters, pass);
      double loss = 0;
      Tensor logits = workspace.shared().logits();
      long positions = batch.positions();
      long step = logits.shape()[0];
      for (long from = 0; from < positions; from += step) {
        try (Scope _ = Scope.open()) {
          Tensor chunk = rows(logits, 0, Math.min(step, positions - from));
          project(workspace, from, chunk);
          loss += kernels.loss(chunk, batch.targets(), (int) from);
        }
      }
      return loss;
    }
  }

  /// As [#loss], and writes the gradient of `scale · (loss + zLoss · Σ log² Z)`.
  double learn(SliceBatch batch, Workspace workspace, PassGradient gradient, double scale) {
    return learn(batch, workspace, gradient, scale, LayerPass.UNWATCHED);
  }

  /// As [#learn], telling `pass` where it is.
  double learn(
      SliceBatch batch, Workspace workspace, PassGradient gradient, double scale, LayerPass pass) {
    try (Scope _ = Scope.open()) {
      gradient.begin();
      forward(batch, workspace, gradient.adapters(), pass);
      Workspace.Shared shared = workspace.shared();
      double loss = learnLogits(batch, workspace, gradient, scale);
      pass.afterHead();
      Aten.zero(shared.dx());
      kernels.normBackward(
          shared.branch(),
          shared.last(),
          shared.lastRstd(),
          norms.last(),
          shared.dx(),
          shared.dxCompute(),
          gradient.normViews().last());
      for (int layer = config.numHiddenLayers() - 1; layer >= 0; layer--) {
        pass.beforeBackward(layer);
        if (layer < config.numHiddenLayers() - 1) {
          restore(layer, batch, workspace, gradient.adapters());
        }
        backward(layer, batch, workspace, gradient);
        pass.afterBackward(layer);
      }
      gradient.embedded(shared.dx());
      return loss;
    }
  }

  private void forward(SliceBatch batch, Workspace workspace, Adapters adapters, LayerPass pass) {
    Workspace.Shared shared = workspace.shared();
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      pass.beforeForward(layer);
      Workspace.Block block = workspace.block(layer);
      if (layer == 0) {
        kernels.embed(weights.embedding(), batch.ids(), block.x());
        norm(block, layer);
      } else {
        addNorm(
            workspace.block(layer - 1).middle(),
            shared.branch(),
            norms.attention().get(layer),
            block.x(),
            block.attentionNormed(),
            block.attentionRstd());
      }
      remember(layer, batch, workspace, adapters);
      kernels.swiGlu(block.gateUp(), shared.activated());
      product(shared.branch(), shared.activated(), weights.matrices().get(layer).down());
      adapters.forward(layer, Linear.DOWN, shared.activated(), shared.branch());
    }
    addNorm(
        workspace.block(config.numHiddenLayers() - 1).middle(),
        shared.branch(),
        norms.last(),
        shared.last(),
        shared.lastNormed(),
        shared.lastRstd());
  }

  /// Computes again what later blocks have overwritten.
  private void restore(int layer, SliceBatch batch, Workspace workspace, Adapters adapters) {
    Workspace.Block block = workspace.block(layer);
    switch (workspace.memory()) {
      case KEEP -> {
        // Nothing was.
      }
      case SELECTIVE -> {
        norm(block, layer);
        kernels.norm(
            block.middle(),
            norms.feedForward().get(layer),
            config.rmsNormEps(),
            block.feedForwardNormed(),
            block.feedForwardRstd());
        gateUp(layer, block, adapters);
      }
      case RECOMPUTE -> {
        norm(block, layer);
        remember(layer, batch, workspace, adapters);
      }
    }
  }

  /// From a block's normed input to its gate and up: all that the backward pass needs.
  private void remember(int layer, SliceBatch batch, Workspace workspace, Adapters adapters) {
    Workspace.Shared shared = workspace.shared();
    Workspace.Block block = workspace.block(layer);
    BlockViews.Matrices matrices = weights.matrices().get(layer);
    product(shared.projected(), block.attentionNormed(), matrices.projections());
    adapters.forward(layer, Linear.PROJECTIONS, block.attentionNormed(), shared.projected());
    block.attention().forward(shared.projected(), batch.visible(), block.attended());
    product(shared.branch(), block.attended(), matrices.output());
    adapters.forward(layer, Linear.OUTPUT, block.attended(), shared.branch());
    addNorm(
        block.x(),
        shared.branch(),
        norms.feedForward().get(layer),
        block.middle(),
        block.feedForwardNormed(),
        block.feedForwardRstd());
    gateUp(layer, block, adapters);
  }

  private void gateUp(int layer, Workspace.Block block, Adapters adapters) {
    product(block.gateUp(), block.feedForwardNormed(), weights.matrices().get(layer).gateUp());
    adapters.forward(layer, Linear.GATE_UP, block.feedForwardNormed(), block.gateUp());
  }

  private void backward(int layer, SliceBatch batch, Workspace workspace, PassGradient gradient) {
    Workspace.Shared shared = workspace.shared();
    Workspace.Block block = workspace.block(layer);
    BlockViews.Matrices matrices = weights.matrices().get(layer);
    Adapters adapters = gradient.adapters();

    Aten.mm(shared.activated(), shared.dxCompute(), matrices.down());
    adapters.backward(layer, Linear.DOWN, shared.dxCompute(), shared.activated());
    kernels.swiGluBackward(block.gateUp(), shared.activated());
    gradient.linear(layer, Linear.DOWN, shared.dxCompute(), shared.activated());
    Aten.mm(shared.branch(), block.gateUp(), matrices.gateUp());
    adapters.backward(layer, Linear.GATE_UP, block.gateUp(), shared.branch());
    gradient.linear(layer, Linear.GATE_UP, block.gateUp(), block.feedForwardNormed());
    kernels.normBackward(
        shared.branch(),
        block.middle(),
        block.feedForwardRstd(),
        norms.feedForward().get(layer),
        shared.dx(),
        shared.dxCompute(),
        gradient.normViews().feedForward().get(layer));

    Aten.mm(shared.dAttended(), shared.dxCompute(), matrices.output());
    adapters.backward(layer, Linear.OUTPUT, shared.dxCompute(), shared.dAttended());
    gradient.linear(layer, Linear.OUTPUT, shared.dxCompute(), block.attended());
    block.attention().backward(shared.dAttended(), batch.visible(), shared.projected());
    Aten.mm(shared.branch(), shared.projected(), matrices.projections());
    adapters.backward(layer, Linear.PROJECTIONS, shared.projected(), shared.branch());
    gradient.linear(layer, Linear.PROJECTIONS, shared.projected(), block.attentionNormed());
    kernels.normBackward(
        shared.branch(),
        block.x(),
        block.attentionRstd(),
        norms.attention().get(layer),
        shared.dx(),
        shared.dxCompute(),
        gradient.normViews().attention().get(layer));
  }

  /// The loss, the gradient of the output projection, and in `branch` that of the final norm's
  /// result; some positions at a time, so that the logits of all are never in memory.
  private double learnLogits(
      SliceBatch batch, Workspace workspace, PassGradient gradient, double scale) {
    Workspace.Shared shared = workspace.shared();
    double loss = 0;
    long positions = batch.positions();
    long step = shared.logits().shape()[0];
    for (long from = 0; from < positions; from += step) {
      try (Scope _ = Scope.open()) {
        long count = Math.min(step, positions - from);
        Tensor chunk = rows(shared.logits(), 0, count);
        project(workspace, from, chunk);
        loss += kernels.lossAndGradient(chunk, batch.targets(), (int) from, scale, zLoss);
        gradient.head(chunk, rows(shared.lastNormed(), from, count), from);
        Aten.mm(rows(shared.branch(), from, count), chunk, weights.head());
      }
    }
    return loss;
  }

  private void project(Workspace workspace, long from, Tensor logits) {
    product(logits, rows(workspace.shared().lastNormed(), from, logits.shape()[0]), weights.head());
  }

  private void norm(Workspace.Block block, int layer) {
    kernels.norm(
        block.x(),
        norms.attention().get(layer),
        config.rmsNormEps(),
        block.attentionNormed(),
        block.attentionRstd());
  }

  private void addNorm(
      Tensor x, Tensor delta, Tensor weight, Tensor sum, Tensor normed, Tensor rstd) {
    kernels.addNorm(x, delta, weight, config.rmsNormEps(), sum, normed, rstd);
  }

  /// `out (N, out) = x (N, in) · weightᵀ`.
  static void product(Tensor out, Tensor x, Tensor weight) {
    Tensor transposed = weight.transposed();
    Aten.mm(out, x, transposed);
    transposed.close();
  }

  private static Tensor rows(Tensor matrix, long from, long count) {
    long columns = matrix.shape()[1];
    return matrix.view(from * columns, count, columns);
  }
}
