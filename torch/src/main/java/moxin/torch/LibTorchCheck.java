package moxin.torch;

import java.util.List;
import java.util.function.Supplier;
import moxin.model.DType;

/// Tries every operator on a few numbers right after loading, so that a library with other schemas
/// is refused with one clear line instead of failing in the middle of a run.
final class LibTorchCheck {

  private LibTorchCheck() {}

  static void run(LibTorch libTorch) {
    LibTorchVersion version = LibTorchVersion.of(Abi.abiVersion());
    if (version.compareTo(LibTorchVersion.OLDEST) < 0) {
      throw new LibTorchUnavailableException(
          "libtorch "
              + version
              + " at "
              + libTorch.libraries().getLast().getParent()
              + " is too old; "
              + LibTorchVersion.OLDEST
              + " or later is needed");
    }
    LibTorch.prepareThread(1);
    try (Scope _ = Scope.open()) {
      tryMatrices();
      tryElementwise();
      tryIntegers();
      tryLosses();
      tryOptimizer();
    } catch (TorchException | AssertionError e) {
      throw new LibTorchUnavailableException(
          "libtorch " + version + " does not work as expected: " + e.getMessage(), e);
    }
  }

  private static void tryMatrices() {
    Tensor a = matrix(1, 2, 3, 4);
    expect("mm", () -> Aten.mm(a, a), 7, 10, 15, 22);
    expect("transposed mm", () -> Aten.mm(a.transposed(), a), 10, 14, 14, 20);
    Tensor out = Tensor.zeros(DType.F32, Device.CPU, 2, 2);
    Aten.mm(out, a, a);
    Aten.addmm(out, a, a);
    expect("addmm", () -> out, 14, 20, 30, 44);
    expect("bmm", () -> Aten.bmm(a.view(0, 1, 2, 2), a.view(0, 1, 2, 2)), 7, 10, 15, 22);
    expect("permute", () -> Aten.contiguous(Aten.permute(a, 1, 0)), 1, 3, 2, 4);
    expect("reshape", () -> Aten.reshape(a, 4, 1), 1, 2, 3, 4);
    expect("expand", () -> Aten.expand(a.view(0, 1, 2), 2, 2), 1, 2, 1, 2);
    expect("roll", () -> Aten.roll(a, 1), 2, 1, 4, 3);
    expect("bf16", () -> Aten.copy(a, DType.BF16), 1, 2, 3, 4);
  }

  private static void tryElementwise() {
    Tensor a = matrix(1, 4, 0, 16);
    expect("add", () -> Aten.add(a, a, -0.5), 0.5f, 2, 0, 8);
    expect("mul", () -> Aten.mul(a, a), 1, 16, 0, 256);
    expect("div", () -> Aten.div(a, matrix(2, 2, 2, 2)), 0.5f, 2, 0, 8);
    expect("mean", () -> Aten.mean(a), 2.5f, 8);
    expect("sum", () -> Aten.sum(a, 0), 1, 20);
    expect("sqrt", () -> Aten.sqrt(a), 1, 2, 0, 4);
    expect("rsqrt", () -> Aten.rsqrt(matrix(1, 4, 16, 64)), 1, 0.5f, 0.25f, 0.125f);
    expect("exp", () -> Aten.exp(matrix(0, 0, 0, 0)), 1, 1, 1, 1);
    expect("silu", () -> Aten.silu(matrix(0, 0, 0, 0)), 0, 0, 0, 0);
    expect("silu_backward", () -> Aten.siluBackward(a, matrix(0, 0, 0, 0)), 0.5f, 2, 0, 8);
    expect("softmax", () -> Aten.softmax(matrix(3, 3, 5, 5)), 0.5f, 0.5f, 0.5f, 0.5f);
    expect(
        "softmax_backward",
        () -> Aten.softmaxBackward(matrix(1, 0, 0, 0), matrix(0.5f, 0.5f, 0.5f, 0.5f)),
        0.25f,
        -0.25f,
        0,
        0);
    expect("clamp_min", () -> Aten.clampMin(a, matrix(2, 2, 2, 2)), 2, 4, 2, 16);
    expect("dot", () -> Aten.dot(a.view(0, 4), a.view(0, 4)), 273);
  }

  private static void tryIntegers() {
    Tensor a = Tensor.of(new long[] {1, 6, -8}, Device.CPU, 3);
    Tensor three = Tensor.of(new long[] {3}, Device.CPU);
    Tensor one = Tensor.of(new long[] {1}, Device.CPU);
    expect("cumsum", () -> Aten.sums(a), 1, 7, -1);
    expect("bitwise_and", () -> Aten.bitwiseAnd(a, three), 1, 2, 0);
    expect("bitwise_xor", () -> Aten.bitwiseXor(a, three), 2, 5, -5);
    expect("bitwise_right_shift", () -> Aten.shiftRight(a, one), 0, 3, -4);
    expect("view", () -> Aten.bits(Tensor.of(new float[] {1}, Device.CPU, 1)), 0x3f800000);
    expect("view back", () -> Aten.ofBits(Aten.bits(matrix(1, -2, 3, 4))), 1, -2, 3, 4);
    Tensor x = matrix(-1.5f, 0, 2.5f, 1);
    expect("abs", () -> Aten.abs(x), 1.5f, 0, 2.5f, 1);
    expect("sign", () -> Aten.sign(x), -1, 0, 1, 1);
    expect("floor", () -> Aten.floor(x), -2, 0, 2, 1);
    expect("amax", () -> Aten.largest(x), 0, 2.5f);
    expect("gt", () -> Aten.greater(x, matrix(0, 0, 0, 2)), 0, 0, 1, 0);
  }

  private static void tryLosses() {
    Tensor ids = Tensor.of(new long[] {1, -100}, Device.CPU, 2);
    Tensor logs = Aten.logSoftmax(matrix(0, 0, 0, 0));
    Tensor[] loss = Aten.nllLoss(logs, ids);
    float half = (float) Math.log(2);
    expect("nll_loss", () -> loss[0], half);
    Tensor one = Tensor.of(new float[] {1}, Device.CPU);
    Tensor gradient = Aten.nllLossBackward(one, logs, ids, loss[1]);
    expect("nll_loss_backward", () -> gradient, 0, -1, 0, 0);
    expect(
        "log_softmax_backward", () -> Aten.logSoftmaxBackward(gradient, logs), 0.5f, -0.5f, 0, 0);
    Tensor rows = Tensor.of(new long[] {1, 1}, Device.CPU, 2);
    expect("embedding", () -> Aten.embedding(matrix(1, 2, 3, 4), rows), 3, 4, 3, 4);
    expect(
        "embedding_backward",
        () -> Aten.embeddingBackward(matrix(1, 2, 3, 4), rows, 2),
        0,
        0,
        4,
        6);
  }

  private static void tryOptimizer() {
    Tensor weights = matrix(1, 1, 1, 1);
    Tensor first = matrix(0, 0, 0, 0);
    Tensor second = matrix(0, 0, 0, 0);
    Tensor one = Tensor.of(new float[] {1}, Device.CPU);
    Aten.adamW(
        weights,
        matrix(1, 1, -1, -1),
        List.of(first, second),
        one,
        new Aten.AdamWSettings(0.5, 0.5, 0.5, 0, 1e-8),
        one);
    expect("adamw", () -> weights, 0.5f, 0.5f, 1.5f, 1.5f);
  }

  private static Tensor matrix(float... values) {
    return Tensor.of(values, Device.CPU, 2, 2);
  }

  private static void expect(String operator, Supplier<Tensor> call, float... expected) {
    float[] found = call.get().toFloats();
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(found[i] - expected[i]) <= 1e-5f)) {
        throw new TorchException(
            operator + " gives " + found[i] + " where " + expected[i] + " is expected");
      }
    }
  }
}
