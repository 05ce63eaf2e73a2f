package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// Attention by libtorch's operators with all scores in memory, on any device.
final class AtenAttention implements Attention {
  private final AttentionShape shape;
  private final AtenRotary rotary;
  private final Tensor queries;
  private final Tensor keys;
  private final Tensor values;
  private final Tensor probabilities;

  AtenAttention(AttentionShape shape, AtenRotary rotary) {
    this.shape = shape;
    this.rotary = rotary;
    long pairs = (long) shape.rows() * shape.groups();
    long queryRows = (long) shape.length() * shape.perGroup();
    queries = zeros(pairs, queryRows, shape.headDim());
    keys = zeros(pairs, shape.length(), shape.headDim());
    values = zeros(pairs, shape.length(), shape.headDim());
    probabilities = zeros(pairs, queryRows, shape.length());
  }

  @Override
  public void forward(Tensor projected, VisibleRange visible, Tensor attended) {
    try (Scope _ = Scope.open()) {
      int groups = shape.groups();
      int queryHeads = groups * shape.perGroup();
      queries.copyFrom(grouped(rotary.rotate(heads(projected, 0, queryHeads)), shape.perGroup()));
      keys.copyFrom(grouped(rotary.rotate(heads(projected, queryHeads, groups)), 1));
      values.copyFrom(grouped(heads(projected, queryHeads + groups, groups), 1));
      Tensor scores = Aten.copy(Aten.bmm(queries, transposed(keys)), DType.F32);
      Tensor scaled = Aten.mul(scores, scale());
      long[] five = {shape.rows(), groups, shape.length(), shape.perGroup(), shape.length()};
      Tensor masked = Aten.add(Aten.reshape(scaled, five), mask(visible));
      probabilities.copyFrom(Aten.reshape(Aten.softmax(masked), probabilities.shape()));
      attended.copyFrom(joined(Aten.bmm(probabilities, values), shape.perGroup()));
    }
  }

  @Override
  public void backward(Tensor dAttended, VisibleRange visible, Tensor dProjected) {
    try (Scope _ = Scope.open()) {
      int groups = shape.groups();
      int queryHeads = groups * shape.perGroup();
      Tensor dOut =
          Aten.copy(grouped(heads(dAttended, 0, queryHeads), shape.perGroup()), shape.type());
      Tensor dValues = Aten.bmm(transposed(probabilities), dOut);
      Tensor dProbabilities = Aten.copy(Aten.bmm(dOut, transposed(values)), DType.F32);
      Tensor dScores = Aten.softmaxBackward(dProbabilities, Aten.copy(probabilities, DType.F32));
      Tensor scaled = Aten.copy(Aten.mul(dScores, scale()), shape.type());
      Tensor dQueries = Aten.copy(Aten.bmm(scaled, keys), DType.F32);
      Tensor dKeys = Aten.copy(Aten.bmm(transposed(scaled), queries), DType.F32);
      part(dProjected, 0, queryHeads)
          .copyFrom(rotary.rotateBack(fourDimensional(joined(dQueries, shape.perGroup()))));
      part(dProjected, queryHeads, groups)
          .copyFrom(rotary.rotateBack(fourDimensional(joined(dKeys, 1))));
      part(dProjected, queryHeads + groups, groups).copyFrom(fourDimensional(joined(dValues, 1)));
    }
  }

  /// Heads `[from, from + count)` of each position as `(B, T, count, D)` of `(N, width)`.
  private Tensor part(Tensor projected, int from, int count) {
    long width = projected.shape()[1];
    long headDim = shape.headDim();
    return projected.view(
        from * headDim,
        new long[] {shape.rows(), shape.length(), count, headDim},
        new long[] {shape.length() * width, width, headDim, 1});
  }

  /// A copy of [#part] in fp32.
  private Tensor heads(Tensor projected, int from, int count) {
    return Aten.copy(part(projected, from, count), DType.F32);
  }

  /// `(B, T, G · r, D)` as `(B · G, T · r, D)`.
  private Tensor grouped(Tensor heads, int perGroup) {
    long[] five = {shape.rows(), shape.length(), shape.groups(), perGroup, shape.headDim()};
    Tensor byGroup = Aten.permute(Aten.reshape(heads, five), 0, 2, 1, 3, 4);
    return Aten.reshape(
        byGroup,
        (long) shape.rows() * shape.groups(),
        (long) shape.length() * perGroup,
        shape.headDim());
  }

  /// `(B · G, T · r, D)` as `(N, G · r · D)`.
  private Tensor joined(Tensor grouped, int perGroup) {
    long[] five = {shape.rows(), shape.groups(), shape.length(), perGroup, shape.headDim()};
    Tensor byPosition = Aten.permute(Aten.reshape(grouped, five), 0, 2, 1, 3, 4);
    return Aten.reshape(
        byPosition,
        (long) shape.rows() * shape.length(),
        (long) shape.groups() * perGroup * shape.headDim());
  }

  private Tensor fourDimensional(Tensor joined) {
    return Aten.reshape(joined, shape.rows(), shape.length(), -1, shape.headDim());
  }

  /// `(B, 1, T, 1, T)`: zero where a key is visible, minus infinity elsewhere.
  private Tensor mask(VisibleRange visible) {
    int length = shape.length();
    float[] mask = new float[shape.rows() * length * length];
    int at = 0;
    for (int row = 0; row < shape.rows(); row++) {
      for (int t = 0; t < length; t++) {
        for (int key = 0; key < length; key++) {
          boolean seen = key >= visible.first(row, t) && key <= t;
          mask[at++] = seen ? 0 : Float.NEGATIVE_INFINITY;
        }
      }
    }
    return Tensor.of(mask, shape.device(), shape.rows(), 1, length, 1, length);
  }

  private Tensor scale() {
    return Tensor.of(new float[] {shape.scale()}, shape.device());
  }

  private static Tensor transposed(Tensor batch) {
    return Aten.permute(batch, 0, 2, 1);
  }

  private Tensor zeros(long... sizes) {
    return Tensor.zeros(shape.type(), shape.device(), sizes);
  }
}
