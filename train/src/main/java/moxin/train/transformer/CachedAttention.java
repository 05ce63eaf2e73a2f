package moxin.train.transformer;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// Attention of one pass's tokens to what their sessions have cached, by libtorch's operators.
/// Projections of all tokens stand together, `(N, (H + 2G) · D)`; each session attends alone.
final class CachedAttention {
  private final ModelConfig config;
  private final AtenRotary rotary;
  private final Tensor scale;
  private final DType type;

  /// @param positions of the pass's tokens
  CachedAttention(ModelConfig config, int[] positions, DType type, Device device) {
    this.config = config;
    this.rotary = AtenRotary.of(config, positions, device);
    float rootOfHeadDim = (float) (1 / Math.sqrt(config.headDim()));
    this.scale = Tensor.of(new float[] {rootOfHeadDim}, device);
    this.type = type;
  }

  /// Caches the tokens' keys and values and attends.
  ///
  /// @param attended `(N, H · D)`, written
  void forward(int layer, Iterable<PassShare> shares, Tensor projected, Tensor attended) {
    try (Scope _ = Scope.open()) {
      int heads = config.numAttentionHeads();
      int groups = config.numKeyValueHeads();
      int headDim = config.headDim();
      long width = projected.shape()[1];
      Tensor queries = as(type, rotary.rotate(heads(projected, 0, heads)));
      Tensor rotated = rotary.rotate(heads(projected, heads, groups));
      KvCache.Rows keys = new KvCache.Rows(rotated, 0, (long) groups * headDim);
      KvCache.Rows values = new KvCache.Rows(projected, (long) (heads + groups) * headDim, width);
      for (PassShare share : shares) {
        try (Scope _ = Scope.open()) {
          share.cache().write(layer, share.visible(), share.at(), keys, values);
          attend(layer, share, queries, attended);
        }
      }
    }
  }

  private void attend(int layer, PassShare share, Tensor queries, Tensor attended) {
    long groups = config.numKeyValueHeads();
    long perGroup = config.numAttentionHeads() / groups;
    long headDim = config.headDim();
    long count = share.visible().count();
    long slots = share.visible().slots();
    long width = config.numAttentionHeads() * headDim;
    // (n, G · R, D) seen as (G, n, R, D).
    long offset = share.at() * width;
    long[] shape = {groups, count, perGroup, headDim};
    long[] strides = {perGroup * headDim, width, headDim, 1};
    Tensor own =
        Aten.reshape(queries.view(offset, shape, strides), groups, count * perGroup, headDim);
    Tensor keys = share.cache().keys(layer, share.visible());
    Tensor products = as(DType.F32, Aten.bmm(own, Aten.permute(keys, 0, 2, 1)));
    Tensor scores = Aten.mul(products, scale);
    Tensor mask = share.visible().mask();
    if (mask != null) {
      scores = Aten.add(Aten.reshape(scores, groups, count, perGroup, slots), mask);
    }
    Tensor softmax = Aten.reshape(Aten.softmax(scores), groups, count * perGroup, slots);
    Tensor result = Aten.bmm(as(type, softmax), share.cache().values(layer, share.visible()));
    attended.view(offset, shape, strides).copyFrom(Aten.reshape(result, shape));
  }

  private static Tensor as(DType type, Tensor x) {
    return x.type() == type ? x : Aten.copy(x, type);
  }

  /// A copy in fp32 of heads `[from, from + count)`, `(N, count, D)`.
  private Tensor heads(Tensor projected, int from, int count) {
    long[] sizes = projected.shape();
    long headDim = config.headDim();
    long[] shape = {sizes[0], count, headDim};
    long[] strides = {sizes[1], headDim, 1};
    return Aten.copy(projected.view(from * headDim, shape, strides), DType.F32);
  }
}
