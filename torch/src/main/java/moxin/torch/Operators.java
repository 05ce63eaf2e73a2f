package moxin.torch;

/// Every ATen operator this project calls through the dispatcher. Schemas carry no promise of
/// stability, so that they stand in one place and [LibTorchCheck] tries each when libtorch is
/// loaded.
final class Operators {
  static final Operator ABS = new Operator("abs");
  static final Operator ADAM_W = new Operator("_fused_adamw_");
  static final Operator AMAX = new Operator("amax");
  static final Operator BITWISE_AND = new Operator("bitwise_and.Tensor");
  static final Operator BITWISE_XOR = new Operator("bitwise_xor.Tensor");
  static final Operator BMM = new Operator("bmm");
  static final Operator CLAMP_MIN = new Operator("clamp_min.Tensor");
  static final Operator CONTIGUOUS = new Operator("contiguous");
  static final Operator CUMULATIVE_SUM = new Operator("cumsum");
  static final Operator DIVIDE = new Operator("div.Tensor");
  static final Operator DOT = new Operator("dot");
  static final Operator EMBEDDING = new Operator("embedding");
  static final Operator EMBEDDING_BACKWARD = new Operator("embedding_dense_backward");
  static final Operator EXP = new Operator("exp");
  static final Operator EXPAND = new Operator("expand");
  static final Operator FLOOR = new Operator("floor");
  static final Operator GREATER = new Operator("gt.Tensor");
  static final Operator LOG_SOFTMAX = new Operator("_log_softmax");
  static final Operator MEAN = new Operator("mean.dim");
  static final Operator MM = new Operator("mm");
  static final Operator MULTIPLY = new Operator("mul.Tensor");
  static final Operator NLL_LOSS = new Operator("nll_loss_forward");
  static final Operator NLL_LOSS_BACKWARD = new Operator("nll_loss_backward");
  static final Operator LOG_SOFTMAX_BACKWARD = new Operator("_log_softmax_backward_data");
  static final Operator PERMUTE = new Operator("permute");
  static final Operator RESHAPE = new Operator("reshape");
  static final Operator ROLL = new Operator("roll");
  static final Operator RSQRT = new Operator("rsqrt");
  static final Operator SHIFT_RIGHT = new Operator("bitwise_right_shift.Tensor");
  static final Operator SIGN = new Operator("sign");
  static final Operator SILU = new Operator("silu");
  static final Operator SILU_BACKWARD = new Operator("silu_backward");
  static final Operator SOFTMAX = new Operator("_softmax");
  static final Operator SOFTMAX_BACKWARD = new Operator("_softmax_backward_data");
  static final Operator SQRT = new Operator("sqrt");
  static final Operator SUM = new Operator("sum.dim_IntList");
  static final Operator VIEW_AS_TYPE = new Operator("view.dtype");
  static final Operator ZERO = new Operator("zero_");

  private Operators() {}
}
