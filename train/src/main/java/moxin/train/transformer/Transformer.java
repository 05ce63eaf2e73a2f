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

  Transformer(ModelConfig config, Kernels kernels, BlockViews weights, NormViews norms) {
    this.config = config;
    this.kernels = kernels;
    this.weights = weights;
    this.norms = norms;
  }

  /// Σ loss in nats over the targets of `batch`.
  double loss(SliceBatch batch, Workspace workspace) {
    return loss(batch, workspace, LayerPass.UNWATCHED);
  }

  /// As [#loss], telling `pass` where it is.
  double loss(SliceBatch batch, Workspace workspace, LayerPass pass) {
    try (Scope _ = Scope.open()) {
      forward(batch, workspace, pass);
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

  /// As [#loss], and writes the gradient of `scale · loss`.
  double learn(SliceBatch batch, Workspace workspace, SliceGradient gradient, double scale) {
    return learn(batch, workspace, gradient, scale, LayerPass.UNWATCHED);
  }

  /// As [#learn], telling `pass` where it is.
  double learn(
      SliceBatch batch, Workspace workspace, SliceGradient gradient, double scale, LayerPass pass) {
    try (Scope _ = Scope.open()) {
      Aten.zero(gradient.norms());
      forward(batch, workspace, pass);
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
        if (workspace.recomputes() && layer < config.numHiddenLayers() - 1) {
          norm(workspace.block(layer), layer);
          remember(layer, batch, workspace);
        }
        backward(layer, batch, workspace, gradient);
        pass.afterBackward(layer);
      }
      rows(gradient.embedded(), 0, batch.positions()).copyFrom(shared.dx());
      return loss;
    }
  }

  private void forward(SliceBatch batch, Workspace workspace, LayerPass pass) {
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
      remember(layer, batch, workspace);
      kernels.swiGlu(block.gateUp(), shared.activated());
      product(shared.branch(), shared.activated(), weights.matrices().get(layer).down());
    }
    addNorm(
        workspace.block(config.numHiddenLayers() - 1).middle(),
        shared.branch(),
        norms.last(),
        shared.last(),
        shared.lastNormed(),
        shared.lastRstd());
  }

  /// From a block's normed input to its gate and up: all that the backward pass needs.
  private void remember(int layer, SliceBatch batch, Workspace workspace) {
    Workspace.Shared shared = workspace.shared();
    Workspace.Block block = workspace.block(layer);
    BlockViews.Matrices matrices = weights.matrices().get(layer);
    product(shared.projected(), block.attentionNormed(), matrices.projections());
    block.attention().forward(shared.projected(), batch.visible(), block.attended());
    product(shared.branch(), block.attended(), matrices.output());
    addNorm(
        block.x(),
        shared.branch(),
        norms.feedForward().get(layer),
        block.middle(),
        block.feedForwardNormed(),
        block.feedForwardRstd());
    product(block.gateUp(), block.feedForwardNormed(), matrices.gateUp());
  }

  private void backward(int layer, SliceBatch batch, Workspace workspace, SliceGradient gradient) {
    Workspace.Shared shared = workspace.shared();
    Workspace.Block block = workspace.block(layer);
    BlockViews.Matrices matrices = weights.matrices().get(layer);
    BlockViews.Matrices gradients = gradient.blocks().matrices().get(layer);

    Aten.mm(shared.activated(), shared.dxCompute(), matrices.down());
    kernels.swiGluBackward(block.gateUp(), shared.activated());
    weightGradient(gradients.down(), shared.dxCompute(), shared.activated());
    Aten.mm(shared.branch(), block.gateUp(), matrices.gateUp());
    weightGradient(gradients.gateUp(), block.gateUp(), block.feedForwardNormed());
    kernels.normBackward(
        shared.branch(),
        block.middle(),
        block.feedForwardRstd(),
        norms.feedForward().get(layer),
        shared.dx(),
        shared.dxCompute(),
        gradient.normViews().feedForward().get(layer));

    Aten.mm(shared.dAttended(), shared.dxCompute(), matrices.output());
    weightGradient(gradients.output(), shared.dxCompute(), block.attended());
    block.attention().backward(shared.dAttended(), batch.visible(), shared.projected());
    Aten.mm(shared.branch(), shared.projected(), matrices.projections());
    weightGradient(gradients.projections(), shared.projected(), block.attentionNormed());
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
      SliceBatch batch, Workspace workspace, SliceGradient gradient, double scale) {
    Workspace.Shared shared = workspace.shared();
    double loss = 0;
    long positions = batch.positions();
    long step = shared.logits().shape()[0];
    for (long from = 0; from < positions; from += step) {
      try (Scope _ = Scope.open()) {
        long count = Math.min(step, positions - from);
        Tensor chunk = rows(shared.logits(), 0, count);
        project(workspace, from, chunk);
        loss += kernels.lossAndGradient(chunk, batch.targets(), (int) from, scale);
        Tensor normed = rows(shared.lastNormed(), from, count);
        if (from == 0) {
          weightGradient(gradient.blocks().head(), chunk, normed);
        } else {
          Aten.addmm(gradient.blocks().head(), chunk.transposed(), normed);
        }
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

  /// `gradient (out, in) = dyᵀ · x`.
  private static void weightGradient(Tensor gradient, Tensor dy, Tensor x) {
    Tensor transposed = dy.transposed();
    Aten.mm(gradient, transposed, x);
    transposed.close();
  }

  private static Tensor rows(Tensor matrix, long from, long count) {
    long columns = matrix.shape()[1];
    return matrix.view(from * columns, count, columns);
  }
}
