package moxin.train.transformer;

import moxin.torch.Tensor;

/// Causal self-attention with rotary embedding over the projections of one slice, remembering what
/// its gradient needs until the next forward pass.
interface Attention {

  /// Attends.
  ///
  /// @param projected `(N, (H + 2G) · D)`: queries, keys and values of each position
  /// @param attended `(N, H · D)`, written
  void forward(Tensor projected, VisibleRange visible, Tensor attended);

  /// Writes the gradient of the projections from that of the result, for the slice of the last
  /// [#forward].
  void backward(Tensor dAttended, VisibleRange visible, Tensor dProjected);
}
