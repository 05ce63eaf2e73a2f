package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.Batch;

/// [Kernels] composed of libtorch's operators, on any device. On the CPU they are what
/// [VectorKernels] is tested against.
final class AtenKernels implements Kernels {

  @Override
  public void embed(Tensor table, int[] ids, Tensor x) {
    try (Scope _ = Scope.open()) {
      x.copyFrom(Aten.embedding(table, longs(ids, 0, ids.length, x.device())));
    }
  }

  @Override
  public void embedBackward(Tensor dx, int[] ids, Tensor gradient, int part, int parts) {
    if (part != 0) {
      return; // one call on the device does them all
    }
    try (Scope _ = Scope.open()) {
      Tensor rows = longs(ids, 0, ids.length, dx.device());
      Tensor all = Aten.embeddingBackward(dx, rows, gradient.shape()[0]);
      gradient.copyFrom(Aten.add(gradient, all));
    }
  }

  @Override
  public void norm(Tensor x, Tensor weight, double epsilon, Tensor normed, Tensor rstd) {
    try (Scope _ = Scope.open()) {
      Tensor mean = Aten.mean(Aten.mul(x, x));
      Tensor scale = Aten.rsqrt(Aten.add(mean, scalar(epsilon, x.device())));
      rstd.copyFrom(scale.view(0, rstd.elements()));
      normed.copyFrom(Aten.mul(Aten.mul(x, scale), weight));
    }
  }

  @Override
  public void addNorm(
      Tensor x,
      Tensor delta,
      Tensor weight,
      double epsilon,
      Tensor sum,
      Tensor normed,
      Tensor rstd) {
    try (Scope _ = Scope.open()) {
      sum.copyFrom(Aten.add(x, delta));
    }
    norm(sum, weight, epsilon, normed, rstd);
  }

  @Override
  public void normBackward(
      Tensor dNormed,
      Tensor x,
      Tensor rstd,
      Tensor weight,
      Tensor dx,
      Tensor dxCompute,
      Tensor dWeight) {
    try (Scope _ = Scope.open()) {
      Tensor scale = rstd.view(0, rstd.elements(), 1);
      Tensor dy = Aten.copy(dNormed, DType.F32);
      Tensor standard = Aten.mul(x, scale);
      dWeight.copyFrom(Aten.add(dWeight, Aten.sum(Aten.mul(dy, standard), 0)));
      Tensor weighted = Aten.mul(dy, weight);
      Tensor mean = Aten.mean(Aten.mul(weighted, standard));
      Tensor inner = Aten.add(weighted, Aten.mul(standard, mean), -1);
      dx.copyFrom(Aten.add(dx, Aten.mul(inner, scale)));
      dxCompute.copyFrom(dx);
    }
  }

  @Override
  public void swiGlu(Tensor gateUp, Tensor activated) {
    try (Scope _ = Scope.open()) {
      activated.copyFrom(Aten.mul(Aten.silu(half(gateUp, 0)), half(gateUp, 1)));
    }
  }

  @Override
  public void swiGluBackward(Tensor gateUp, Tensor dActivated) {
    try (Scope _ = Scope.open()) {
      Tensor gate = half(gateUp, 0);
      Tensor up = half(gateUp, 1);
      Tensor silu = Aten.silu(gate);
      Tensor activated = Aten.mul(silu, up);
      Tensor dGate = Aten.siluBackward(Aten.mul(dActivated, up), gate);
      up.copyFrom(Aten.mul(dActivated, silu));
      gate.copyFrom(dGate);
      dActivated.copyFrom(activated);
    }
  }

  @Override
  public double loss(Tensor logits, int[] targets, int from) {
    try (Scope _ = Scope.open()) {
      Tensor logs = Aten.logSoftmax(Aten.copy(logits, DType.F32));
      return Aten.nllLoss(logs, targets(logits, targets, from))[0].item();
    }
  }

  @Override
  public double lossAndGradient(
      Tensor logits, int[] targets, int from, double scale, double zLoss) {
    try (Scope _ = Scope.open()) {
      Tensor ids = targets(logits, targets, from);
      Tensor logs = Aten.logSoftmax(Aten.copy(logits, DType.F32));
      Tensor[] loss = Aten.nllLoss(logs, ids);
      Tensor factor = scalar(scale, logits.device());
      Tensor dLogs = Aten.nllLossBackward(factor, logs, ids, loss[1]);
      Tensor gradient = Aten.logSoftmaxBackward(dLogs, logs);
      logits.copyFrom(
          zLoss == 0
              ? gradient
              : Aten.add(gradient, ofLogZ(logits, logs, targets, from, 2 * zLoss * scale)));
      return loss[0].item();
    }
  }

  @Override
  public List<Attention> attentions(AttentionShape shape, int count) {
    AtenRotary rotary = AtenRotary.of(shape.config(), 0, shape.length(), shape.device());
    List<Attention> attentions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      attentions.add(new AtenAttention(shape, rotary));
    }
    return List.copyOf(attentions);
  }

  @Override
  public void addTo(Tensor sum, Tensor part) {
    try (Scope _ = Scope.open()) {
      sum.copyFrom(Aten.add(sum, part));
    }
  }

  @Override
  public double[] squaredNorms(Tensor x, long piece) {
    try (Scope _ = Scope.open()) {
      long elements = x.elements();
      int whole = Math.toIntExact(elements / piece);
      double[] squares = new double[Math.toIntExact(Math.ceilDiv(elements, piece))];
      Tensor wide = Aten.copy(x, DType.F64);
      if (whole > 0) {
        Tensor rows = wide.view(0, whole, piece);
        Tensor sums = Aten.sum(Aten.mul(rows, rows), 1).to(Device.CPU);
        MemorySegment.copy(sums.data(), ValueLayout.JAVA_DOUBLE, 0, squares, 0, whole);
      }
      if (whole < squares.length) {
        Tensor rest = wide.view(whole * piece, elements - whole * piece);
        squares[whole] = Aten.dot(rest, rest).item();
      }
      return squares;
    }
  }

  @Override
  public void adamW(AdamWStep step, double weightDecay, ParameterRange range) {
    if (!range.exact()) {
      AtenNarrowUpdate.adamW(step, weightDecay, range);
      return;
    }
    try (Scope _ = Scope.open()) {
      adamW(
          step,
          weightDecay,
          range.weights(),
          range.gradient(),
          List.of(range.first().values(), range.second().values()));
      if (range.copied()) {
        range.compute().copyFrom(range.weights());
      }
      Aten.zero(range.gradient());
    }
  }

  /// Changes fp32 weights and moments.
  static void adamW(
      AdamWStep step, double weightDecay, Tensor weights, Tensor gradient, List<Tensor> moments) {
    Device device = weights.device();
    Aten.adamW(
        weights,
        gradient,
        moments,
        scalar((double) step.number(), device),
        new Aten.AdamWSettings(
            step.learningRate(), step.beta1(), step.beta2(), weightDecay, step.epsilon()),
        scalar(1 / step.gradientScale(), device));
  }

  /// `factor · log Z · softmax` of the positions whose target counts.
  private static Tensor ofLogZ(Tensor logits, Tensor logs, int[] targets, int from, double factor) {
    long[] shape = logits.shape();
    float[] factors = new float[(int) shape[0]];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = targets[from + i] == Batch.IGNORED ? 0 : (float) factor;
    }
    long[] column = {shape[0], 1};
    long[] strides = {shape[1], 1};
    Tensor firstLogits = Aten.copy(logits.view(0, column, strides), DType.F32);
    Tensor logZ = Aten.add(firstLogits, logs.view(0, column, strides), -1);
    Tensor weight = Aten.mul(logZ, Tensor.of(factors, logits.device(), shape[0], 1));
    return Aten.mul(Aten.exp(logs), weight);
  }

  /// Columns `[which · F, (which + 1) · F)` of `(N, 2F)`.
  private static Tensor half(Tensor gateUp, int which) {
    long rows = gateUp.shape()[0];
    long width = gateUp.shape()[1] / 2;
    return gateUp.view(which * width, new long[] {rows, width}, new long[] {2 * width, 1});
  }

  private static Tensor targets(Tensor logits, int[] targets, int from) {
    return longs(targets, from, from + (int) logits.shape()[0], logits.device());
  }

  private static Tensor longs(int[] values, int from, int to, Device device) {
    long[] wide = Arrays.stream(values, from, to).asLongStream().toArray();
    return Tensor.of(wide, device, wide.length);
  }

  static Tensor scalar(double value, Device device) {
    return Tensor.of(new float[] {(float) value}, device);
  }
}
