package moxin.train.transformer;

import moxin.torch.Tensor;

/// Where the backward pass of a slice leaves the gradients of what is trained. Tensors that are
/// handed over are the pass's own, and soon overwritten.
interface PassGradient {

  /// Forgets the gradients of the pass before.
  void begin();

  /// A block's linear layer had input `x (N, in)`, and its output has gradient `dy (N, out)`.
  void linear(int layer, Linear linear, Tensor dy, Tensor x);

  /// The output projection had input `x (n, C)` for the positions from `from` on, and the logits
  /// have gradient `dy (n, V)`.
  void head(Tensor dy, Tensor x, long from);

  /// The rows taken from the embedding have gradient `dx (N, C)`.
  void embedded(Tensor dx);

  /// What the gradients of the norms are added to, fp32.
  NormViews normViews();

  /// What the linear layers add, in this pass and in the backward pass.
  default Adapters adapters() {
    return Adapters.NONE;
  }
}
