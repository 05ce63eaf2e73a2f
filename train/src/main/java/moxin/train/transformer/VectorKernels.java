package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.model.DType;
import moxin.torch.Tensor;

/// [Kernels] on the CPU by Java's Vector API, on the memory of libtorch's tensors: each is one pass
/// over its operands where libtorch's operators would make several.
final class VectorKernels implements Kernels {
  private static final int RANGE = 1 << 24;

  @Override
  public void embed(Tensor table, int[] ids, Tensor x) {
    VectorUpdate.gatherRows(columns(x), bf16(table), table.address(), ids, x.address());
  }

  @Override
  public void embedBackward(Tensor dx, int[] ids, Tensor gradient, int part, int parts) {
    VectorUpdate.addRows(columns(dx), dx.address(), ids, gradient.address(), part, parts);
  }

  @Override
  public void norm(Tensor x, Tensor weight, double epsilon, Tensor normed, Tensor rstd) {
    VectorNorm.forward(
        rows(x),
        columns(x),
        bf16(normed),
        x.address(),
        0,
        weight.address(),
        epsilon,
        0,
        normed.address(),
        rstd.address());
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
    VectorNorm.forward(
        rows(x),
        columns(x),
        bf16(normed),
        x.address(),
        delta.address(),
        weight.address(),
        epsilon,
        sum.address(),
        normed.address(),
        rstd.address());
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
    VectorNorm.backward(
        rows(x),
        columns(x),
        bf16(dNormed),
        dNormed.address(),
        x.address(),
        rstd.address(),
        weight.address(),
        dx.address(),
        dxCompute.address(),
        dWeight.address());
  }

  @Override
  public void swiGlu(Tensor gateUp, Tensor activated) {
    VectorSwiGlu.forward(
        rows(activated), columns(activated), bf16(gateUp), gateUp.address(), activated.address());
  }

  @Override
  public void swiGluBackward(Tensor gateUp, Tensor dActivated) {
    VectorSwiGlu.backward(
        rows(dActivated),
        columns(dActivated),
        bf16(gateUp),
        gateUp.address(),
        dActivated.address());
  }

  @Override
  public double loss(Tensor logits, int[] targets, int from) {
    return VectorCrossEntropy.loss(
        rows(logits), columns(logits), bf16(logits), logits.address(), targets, from);
  }

  @Override
  public double lossAndGradient(
      Tensor logits, int[] targets, int from, double scale, double zLoss) {
    return VectorCrossEntropy.lossAndGradient(
        rows(logits), columns(logits), bf16(logits), logits.address(), targets, from, scale, zLoss);
  }

  @Override
  public List<Attention> attentions(AttentionShape shape, int count) {
    VectorAttention.Scratch scratch = VectorAttention.Scratch.of(shape);
    RotaryTable table =
        RotaryTable.of(shape.headDim(), shape.config().ropeTheta(), 0, shape.length());
    List<Attention> attentions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      attentions.add(new VectorAttention(shape, scratch, table));
    }
    return List.copyOf(attentions);
  }

  @Override
  public void addTo(Tensor sum, Tensor part) {
    long elements = sum.elements();
    long target = sum.address();
    long source = part.address();
    boolean bf16 = bf16(part);
    for (long from = 0; from < elements; from += RANGE) {
      int count = (int) Math.min(RANGE, elements - from);
      long at = source + from * VectorMemory.bytes(bf16);
      VectorUpdate.add(target + 4 * from, bf16, at, 0, count);
    }
  }

  @Override
  public double[] squaredNorms(Tensor x, long piece) {
    long elements = x.elements();
    long address = x.address();
    double[] squares = new double[Math.toIntExact(Math.ceilDiv(elements, piece))];
    for (int i = 0; i < squares.length; i++) {
      long from = i * piece;
      int count = Math.toIntExact(Math.min(piece, elements - from));
      squares[i] = VectorUpdate.squaredNorm(address + 4 * from, 0, count);
    }
    return squares;
  }

  @Override
  public void adamW(AdamWStep step, double weightDecay, ParameterRange range) {
    int count = Math.toIntExact(range.weights().elements());
    float decay = (float) weightDecay;
    if (!range.exact()) {
      VectorNarrowUpdate.adamW(step, range, decay, count);
      return;
    }
    VectorUpdate.FlatState state =
        new VectorUpdate.FlatState(
            range.weights().address(),
            range.gradient().address(),
            range.first().values().address(),
            range.second().values().address(),
            range.compute().address());
    VectorUpdate.adamW(step, state, bf16(range.compute()), decay, 0, count);
  }

  private static boolean bf16(Tensor tensor) {
    return tensor.type() == DType.BF16;
  }

  private static int rows(Tensor tensor) {
    return Math.toIntExact(tensor.shape()[0]);
  }

  private static int columns(Tensor tensor) {
    return Math.toIntExact(tensor.shape()[1]);
  }
}
