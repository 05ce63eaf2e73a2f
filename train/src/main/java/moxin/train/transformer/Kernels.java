package moxin.train.transformer;

import java.util.List;
import moxin.torch.Tensor;

/// What a transformer does besides matrix products. Residual streams, norms and their gradients are
/// fp32; branches, activations and matrices have the compute type, fp32 or bf16.
///
/// Implementations are stateless; a call works on the calling thread.
interface Kernels {

  /// Rows `ids` of `table (V, C)` into `x (N, C)` in fp32.
  void embed(Tensor table, int[] ids, Tensor x);

  /// Adds row n of `dx (N, C)` to row `ids[n]` of `gradient (V, C)`, both fp32, for the ids of one
  /// of `parts` parts; the parts together are the whole gradient, whatever their number.
  void embedBackward(Tensor dx, int[] ids, Tensor gradient, int part, int parts);

  /// `normed (N, C) = x · rstd · weight` with `rstd (N) = 1 / √(mean x² + epsilon)`.
  void norm(Tensor x, Tensor weight, double epsilon, Tensor normed, Tensor rstd);

  /// [#norm] of `sum = x + delta`.
  void addNorm(
      Tensor x,
      Tensor delta,
      Tensor weight,
      double epsilon,
      Tensor sum,
      Tensor normed,
      Tensor rstd);

  /// Adds the gradient of a norm's input to `dx`, copies `dx` to `dxCompute`, and adds the gradient
  /// of its weight to `dWeight`.
  void normBackward(
      Tensor dNormed,
      Tensor x,
      Tensor rstd,
      Tensor weight,
      Tensor dx,
      Tensor dxCompute,
      Tensor dWeight);

  /// `activated (N, F) = silu(gate) · up` of `gateUp (N, 2F)`.
  void swiGlu(Tensor gateUp, Tensor activated);

  /// Turns `gateUp` into its gradient and `dActivated` into what [#swiGlu] gave.
  void swiGluBackward(Tensor gateUp, Tensor dActivated);

  /// Σ loss in nats of `logits (n, V)` against `targets[from, from + n)`.
  double loss(Tensor logits, int[] targets, int from);

  /// As [#loss], and turns the logits into the gradient of `scale · Σ (loss + zLoss · log² Z)`, Z
  /// the sum of the exponentials of a position's logits.
  double lossAndGradient(Tensor logits, int[] targets, int from, double scale, double zLoss);

  /// The attentions of `count` blocks, each with memory for what its backward pass needs.
  List<Attention> attentions(AttentionShape shape, int count);

  /// `sum += part`, element by element; `sum` is fp32.
  void addTo(Tensor sum, Tensor part);

  /// Σ x² in float64 of every `piece` elements of a flat fp32 tensor; the last piece may be
  /// shorter.
  double[] squaredNorms(Tensor x, long piece);

  /// One AdamW update of a flat range of parameters, whose gradient is zeroed.
  void adamW(AdamWStep step, double weightDecay, ParameterRange range);
}
