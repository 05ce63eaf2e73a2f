package moxin.torch;

import static moxin.torch.Operator.present;

import java.util.List;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// The operators of libtorch under their ATen names. Results are new tensors of the current
/// [Scope]; arguments stay their owners'. Automatic differentiation is never used: see
/// [LibTorch#prepareThread].
public final class Aten {
  /// `ignore_index` of the loss functions.
  private static final long IGNORED = -100;

  private static final int SUM_REDUCTION = 2;

  private Aten() {}

  /// `out = a · b`, matrices.
  public static void mm(Tensor out, Tensor a, Tensor b) {
    Operator.check("mm.out", () -> Abi.mmOut(out.handle(), a.handle(), b.handle()));
  }

  /// `a · b`, matrices.
  public static Tensor mm(Tensor a, Tensor b) {
    return Operators.MM.call(a, b);
  }

  /// `sum = sum + a · b`, matrices.
  public static void addmm(Tensor sum, Tensor a, Tensor b) {
    addmm(sum, 1, a, b, 1);
  }

  /// `sum = sum + alpha · a · b`, matrices.
  public static void addmm(Tensor sum, Tensor a, Tensor b, double alpha) {
    addmm(sum, 1, a, b, alpha);
  }

  /// `out = alpha · a · b`, matrices.
  public static void mm(Tensor out, Tensor a, Tensor b, double alpha) {
    addmm(out, 0, a, b, alpha);
  }

  private static void addmm(Tensor sum, double beta, Tensor a, Tensor b, double alpha) {
    Operator.check(
        "addmm.out",
        () ->
            Abi.addmmOut(
                sum.handle(), sum.handle(), a.handle(), b.handle(), (float) beta, (float) alpha));
  }

  /// `a · b` for each of a batch of matrices.
  public static Tensor bmm(Tensor a, Tensor b) {
    return Operators.BMM.call(a, b);
  }

  /// `a + b`, broadcast.
  public static Tensor add(Tensor a, Tensor b) {
    return add(a, b, 1);
  }

  /// `a + alpha · b`, broadcast.
  public static Tensor add(Tensor a, Tensor b, double alpha) {
    CallBuffers buffers = CallBuffers.current();
    Device.Kind kind = a.device().kind();
    Operator.check("add", () -> Abi.add(kind, a.handle(), b.handle(), alpha, buffers.result));
    return new Tensor(buffers.resultWord());
  }

  /// `a ∘ b`, broadcast.
  public static Tensor mul(Tensor a, Tensor b) {
    return Operators.MULTIPLY.call(a, b);
  }

  /// `a / b`, broadcast.
  public static Tensor div(Tensor a, Tensor b) {
    return Operators.DIVIDE.call(a, b);
  }

  /// The mean over the last dimension, which stays with size 1.
  public static Tensor mean(Tensor x) {
    return Operators.MEAN.call(x, present(new long[] {-1}), true, null);
  }

  /// The sum over dimension `dimension`, which disappears.
  public static Tensor sum(Tensor x, long dimension) {
    return Operators.SUM.call(x, present(new long[] {dimension}), false, null);
  }

  /// `1 / √x`.
  public static Tensor rsqrt(Tensor x) {
    return Operators.RSQRT.call(x);
  }

  /// `√x`.
  public static Tensor sqrt(Tensor x) {
    return Operators.SQRT.call(x);
  }

  /// `eˣ`.
  public static Tensor exp(Tensor x) {
    return Operators.EXP.call(x);
  }

  /// `x / (1 + e⁻ˣ)`.
  public static Tensor silu(Tensor x) {
    return Operators.SILU.call(x);
  }

  /// The gradient of [#silu] at `x`.
  public static Tensor siluBackward(Tensor gradient, Tensor x) {
    return Operators.SILU_BACKWARD.call(gradient, x);
  }

  /// Softmax over the last dimension.
  public static Tensor softmax(Tensor x) {
    return Operators.SOFTMAX.call(x, -1L, false);
  }

  /// The gradient of [#softmax] with the result `y`.
  public static Tensor softmaxBackward(Tensor gradient, Tensor y) {
    return Operators.SOFTMAX_BACKWARD.call(gradient, y, -1L, y.type());
  }

  /// Logarithm of the softmax over the last dimension.
  public static Tensor logSoftmax(Tensor x) {
    return Operators.LOG_SOFTMAX.call(x, -1L, false);
  }

  /// The gradient of [#logSoftmax] with the result `y`.
  public static Tensor logSoftmaxBackward(Tensor gradient, Tensor y) {
    return Operators.LOG_SOFTMAX_BACKWARD.call(gradient, y, -1L, y.type());
  }

  /// `−Σ logProbabilities[i, targets[i]]` over targets other than −100, and their number.
  public static Tensor[] nllLoss(Tensor logProbabilities, Tensor targets) {
    return Operators.NLL_LOSS.callForTwo(logProbabilities, targets, null, SUM_REDUCTION, IGNORED);
  }

  /// The gradient of [#nllLoss] with the target count `count`.
  public static Tensor nllLossBackward(
      Tensor gradient, Tensor logProbabilities, Tensor targets, Tensor count) {
    return Operators.NLL_LOSS_BACKWARD.call(
        gradient, logProbabilities, targets, null, SUM_REDUCTION, IGNORED, count);
  }

  /// The rows `ids` of `table`.
  public static Tensor embedding(Tensor table, Tensor ids) {
    return Operators.EMBEDDING.call(table, ids, -1L, false, false);
  }

  /// The gradient of [#embedding] for a table of `rows` rows.
  public static Tensor embeddingBackward(Tensor gradient, Tensor ids, long rows) {
    return Operators.EMBEDDING_BACKWARD.call(gradient, ids, rows, -1L, false);
  }

  /// `x` rotated by `shift` along its last dimension.
  public static Tensor roll(Tensor x, long shift) {
    return Operators.ROLL.call(x, new long[] {shift}, new long[] {-1});
  }

  /// A view with its dimensions in another order.
  public static Tensor permute(Tensor x, long... order) {
    return Operators.PERMUTE.call(x, order);
  }

  /// `x` in another shape; a copy where the memory's order asks for one.
  public static Tensor reshape(Tensor x, long... shape) {
    return Operators.RESHAPE.call(x, shape);
  }

  /// A view with dimensions of size 1 repeated.
  public static Tensor expand(Tensor x, long... shape) {
    return Operators.EXPAND.call(x, shape, false);
  }

  /// `x`, or a copy in row-major order.
  public static Tensor contiguous(Tensor x) {
    return Operators.CONTIGUOUS.call(x, 0);
  }

  /// A copy of `x` with elements of `type`, in row-major order.
  public static Tensor copy(Tensor x, DType type) {
    Tensor copy = Tensor.empty(type, x.device(), x.shape());
    copy.copyFrom(x);
    return copy;
  }

  /// `Σ a ∘ b` of two vectors.
  public static Tensor dot(Tensor a, Tensor b) {
    return Operators.DOT.call(a, b);
  }

  /// `max(x, least)` element by element.
  public static Tensor clampMin(Tensor x, Tensor least) {
    return Operators.CLAMP_MIN.call(x, least);
  }

  /// `|x|`.
  public static Tensor abs(Tensor x) {
    return Operators.ABS.call(x);
  }

  /// −1, 0 or 1.
  public static Tensor sign(Tensor x) {
    return Operators.SIGN.call(x);
  }

  /// The greatest integer not above x.
  public static Tensor floor(Tensor x) {
    return Operators.FLOOR.call(x);
  }

  /// The largest element along the last dimension, which stays with size 1.
  public static Tensor largest(Tensor x) {
    return Operators.AMAX.call(x, new long[] {-1}, true);
  }

  /// Whether `a > b`, broadcast.
  public static Tensor greater(Tensor a, Tensor b) {
    return Operators.GREATER.call(a, b);
  }

  /// The sums of the first 1, 2, … elements of a vector.
  public static Tensor sums(Tensor x) {
    return Operators.CUMULATIVE_SUM.call(x, 0L, null);
  }

  /// The bits set in both of two integers, broadcast.
  public static Tensor bitwiseAnd(Tensor a, Tensor b) {
    return Operators.BITWISE_AND.call(a, b);
  }

  /// The bits set in one of two integers, broadcast.
  public static Tensor bitwiseXor(Tensor a, Tensor b) {
    return Operators.BITWISE_XOR.call(a, b);
  }

  /// The bits of integers moved down by `count`, broadcast; the sign stays.
  public static Tensor shiftRight(Tensor a, Tensor count) {
    return Operators.SHIFT_RIGHT.call(a, count);
  }

  /// The bits of fp32 numbers as integers: a view.
  public static Tensor bits(Tensor x) {
    return Operators.VIEW_AS_TYPE.call(x, DType.I32);
  }

  /// The fp32 numbers of integers' bits: a view.
  public static Tensor ofBits(Tensor x) {
    return Operators.VIEW_AS_TYPE.call(x, DType.F32);
  }

  /// Sets every element to zero.
  public static void zero(Tensor x) {
    Operators.ZERO.callInPlace(x);
  }

  /// One step of AdamW on `weights` in place.
  ///
  /// @param moments first and second moments
  /// @param step the number of this step, fp32, without dimensions
  /// @param gradientDivisor the gradient is divided by it first, fp32, without dimensions
  public static void adamW(
      Tensor weights,
      Tensor gradient,
      List<Tensor> moments,
      Tensor step,
      AdamWSettings settings,
      @Nullable Tensor gradientDivisor) {
    Operators.ADAM_W.callForNothing(
        new Tensor[] {weights},
        new Tensor[] {gradient},
        new Tensor[] {moments.get(0)},
        new Tensor[] {moments.get(1)},
        new Tensor[0],
        new Tensor[] {step},
        settings.learningRate(),
        settings.beta1(),
        settings.beta2(),
        settings.weightDecay(),
        settings.epsilon(),
        false,
        false,
        gradientDivisor == null ? null : present(gradientDivisor),
        null);
  }

  /// The numbers of [#adamW].
  public record AdamWSettings(
      double learningRate, double beta1, double beta2, double weightDecay, double epsilon) {}
}
