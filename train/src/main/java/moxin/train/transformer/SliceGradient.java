package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// The gradient of one slice of a batch, before it is added to that of the others.
///
/// @param matrices the compute type: every matrix and the output projection, written afresh by each
///   backward pass
/// @param norms fp32, accumulated from zero by each backward pass
/// @param embedded `(N, C)` fp32: the gradient of the rows taken from the embedding
record SliceGradient(
    Tensor matrices, Tensor norms, Tensor embedded, BlockViews blocks, NormViews normViews)
    implements PassGradient {

  /// Room for the gradient of slices of at most `positions` positions.
  static SliceGradient create(
      ParameterLayout layout, int hidden, DType compute, Device device, long positions) {
    Tensor matrices = Tensor.zeros(compute, device, layout.embeddingsEnd());
    Tensor norms = Tensor.zeros(DType.F32, device, layout.size() - layout.embeddingsEnd());
    return new SliceGradient(
        matrices,
        norms,
        Tensor.zeros(DType.F32, device, positions, hidden),
        BlockViews.of(layout, matrices),
        NormViews.of(layout, norms, layout.embeddingsEnd()));
  }

  @Override
  public void begin() {
    Aten.zero(norms);
  }

  @Override
  public void linear(int layer, Linear linear, Tensor dy, Tensor x) {
    write(blocks.matrices().get(layer).of(linear), dy, x);
  }

  @Override
  public void head(Tensor dy, Tensor x, long from) {
    if (from == 0) {
      write(blocks.head(), dy, x);
    } else {
      Aten.addmm(blocks.head(), dy.transposed(), x);
    }
  }

  @Override
  public void embedded(Tensor dx) {
    long[] shape = dx.shape();
    try (Scope _ = Scope.open()) {
      embedded.view(0, shape).copyFrom(dx);
    }
  }

  /// `gradient (out, in) = dyᵀ · x`.
  private static void write(Tensor gradient, Tensor dy, Tensor x) {
    Tensor transposed = dy.transposed();
    Aten.mm(gradient, transposed, x);
    transposed.close();
  }
}
