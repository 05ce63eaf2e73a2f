package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// Attention on the CPU, tile by tile: scores of some positions against the keys they can see by a
/// matrix product, softmax in place by [VectorSoftmax], another product with the values. Keys that
/// no position of a tile sees are left out, so that half of a long causal row, what lies before the
/// window and other documents cost nothing.
///
/// Probabilities are kept for the backward pass while they are small, else computed again.
final class VectorAttention implements Attention {
  private static final int TILE = 128;
  private static final int ROUND = 32;
  private static final long LARGEST_KEPT_BYTES = 1L << 27;

  private final AttentionShape shape;
  private final VectorHeads.Shape heads;
  private final Scratch scratch;
  private final RotaryTable table;
  private final boolean bf16;
  private final boolean keeps;
  private final long tileElements;
  private final Tensor queries;
  private final Tensor keys;
  private final Tensor values;
  private final Tensor probabilities;

  VectorAttention(AttentionShape shape, Scratch scratch, RotaryTable table) {
    this.shape = shape;
    this.heads = headsOf(shape);
    this.scratch = scratch;
    this.table = table;
    this.bf16 = shape.type() == DType.BF16;
    this.tileElements = tileElements(shape);
    this.keeps = keeps(shape);
    DType type = shape.type();
    queries = zeros(type, queryElements(shape));
    keys = zeros(type, keyElements(shape));
    values = zeros(type, keyElements(shape));
    probabilities = zeros(type, probabilityElements(shape));
  }

  /// The bytes of one, without what all blocks share.
  static long bytes(AttentionShape shape) {
    long elements = queryElements(shape) + 2 * keyElements(shape) + probabilityElements(shape);
    return shape.type().byteSize() * elements;
  }

  /// The bytes of what all blocks share.
  static long sharedBytes(AttentionShape shape) {
    long keyed = (long) headsOf(shape).room() * shape.headDim();
    long tileRows = (long) TILE * shape.perGroup();
    long elements =
        tileRows * headsOf(shape).room()
            + tileRows * shape.headDim()
            + keyed
            + queryElements(shape);
    return shape.type().byteSize() * elements + 2 * Float.BYTES * keyElements(shape);
  }

  private static long pairs(AttentionShape shape) {
    return (long) shape.rows() * shape.groups();
  }

  private static long tileElements(AttentionShape shape) {
    return (long) TILE * shape.perGroup() * widestTile(shape);
  }

  private static long queryElements(AttentionShape shape) {
    return pairs(shape) * shape.length() * shape.perGroup() * shape.headDim();
  }

  private static long keyElements(AttentionShape shape) {
    return pairs(shape) * headsOf(shape).room() * shape.headDim();
  }

  private static long allTileElements(AttentionShape shape) {
    int tiles = (shape.length() + TILE - 1) / TILE;
    return tileElements(shape) * tiles * pairs(shape);
  }

  private static boolean keeps(AttentionShape shape) {
    return allTileElements(shape) * shape.type().byteSize() <= LARGEST_KEPT_BYTES;
  }

  private static long probabilityElements(AttentionShape shape) {
    return keeps(shape) ? allTileElements(shape) : tileElements(shape);
  }

  /// Memory that the attentions of all blocks share.
  record Scratch(
      Tensor tile,
      Tensor attended,
      Tensor keyed,
      Tensor dQueries,
      Tensor dKeys,
      Tensor dValues,
      float[] work) {

    static Scratch of(AttentionShape shape) {
      VectorHeads.Shape heads = headsOf(shape);
      DType type = shape.type();
      long tileRows = (long) TILE * shape.perGroup();
      long pairs = (long) shape.rows() * shape.groups();
      long keyed = (long) heads.room() * shape.headDim();
      return new Scratch(
          zeros(type, tileRows * heads.room()),
          zeros(type, tileRows * shape.headDim()),
          zeros(type, keyed),
          zeros(type, pairs * shape.length() * shape.perGroup() * shape.headDim()),
          zeros(DType.F32, pairs * keyed),
          zeros(DType.F32, pairs * keyed),
          new float[heads.room() + VectorMemory.LANES]);
    }
  }

  /// Some positions of one row and group with the keys they see.
  ///
  /// @param pair the row and group
  /// @param to the position after the last
  /// @param firstKey the first key, a multiple of 32
  /// @param keys how many, a multiple of 32
  private record Tile(int row, int group, int pair, int from, int to, int firstKey, int keys) {}

  @Override
  public void forward(Tensor projected, VisibleRange visible, Tensor attended) {
    VectorHeads.split(
        heads,
        bf16,
        table,
        projected.address(),
        queries.address(),
        keys.address(),
        values.address());
    long target = attended.address();
    long tileAddress = scratch.attended().address();
    forEachTile(
        visible,
        tile -> {
          Tensor p = probabilities(tile, visible);
          Tensor out = scratch.attended().view(0, rows(tile), shape.headDim());
          Aten.mm(out, p, keyed(values, tile));
          VectorHeads.scatter(
              heads, bf16, tile.row(), tile.group(), tile.from(), tile.to(), tileAddress, target);
        });
  }

  @Override
  public void backward(Tensor dAttended, VisibleRange visible, Tensor dProjected) {
    Aten.zero(scratch.dKeys());
    Aten.zero(scratch.dValues());
    long dAttendedAddress = dAttended.address();
    forEachTile(visible, tile -> backward(tile, visible, dAttendedAddress));
    VectorHeads.join(
        heads,
        bf16,
        table,
        scratch.dQueries().address(),
        scratch.dKeys().address(),
        scratch.dValues().address(),
        dProjected.address());
  }

  private void backward(Tile tile, VisibleRange visible, long dAttended) {
    Tensor p = keeps ? kept(tile) : probabilities(tile, visible);
    Tensor dOut = scratch.attended().view(0, rows(tile), shape.headDim());
    VectorHeads.gather(
        heads, bf16, tile.row(), tile.group(), tile.from(), tile.to(), dAttended, dOut.address());
    accumulate(p, dOut, tile, scratch.dValues());
    Tensor dScores = scratch.tile().view(0, rows(tile), tile.keys());
    Aten.mm(dScores, dOut, keyed(values, tile).transposed());
    softmaxBackward(tile, visible, p.address(), dScores.address());
    Tensor dQueries = scratch.dQueries().view(queryOffset(tile), rows(tile), shape.headDim());
    Aten.mm(dQueries, dScores, keyed(keys, tile));
    accumulate(dScores, queries(tile), tile, scratch.dKeys());
  }

  /// Adds `leftᵀ · right` to the fp32 gradient of the tile's keys.
  private void accumulate(Tensor left, Tensor right, Tile tile, Tensor gradient) {
    Tensor part = scratch.keyed().view(0, tile.keys(), shape.headDim());
    Aten.mm(part, left.transposed(), right);
    long at = gradient.address() + 4 * keyOffset(tile);
    VectorUpdate.add(at, bf16, part.address(), 0, tile.keys() * shape.headDim());
  }

  private Tensor probabilities(Tile tile, VisibleRange visible) {
    Tensor scores = kept(tile);
    Aten.mm(scores, queries(tile), keyed(keys, tile).transposed());
    long at = scores.address();
    long rowBytes = (long) tile.keys() * VectorMemory.bytes(bf16);
    for (int t = tile.from(); t < tile.to(); t++) {
      int first = visible.first(tile.row(), t) - tile.firstKey();
      int last = t - tile.firstKey();
      for (int r = 0; r < shape.perGroup(); r++) {
        VectorSoftmax.forward(tile.keys(), bf16, at, first, last, shape.scale(), scratch.work());
        at += rowBytes;
      }
    }
    return scores;
  }

  private void softmaxBackward(Tile tile, VisibleRange visible, long p, long gradient) {
    long rowBytes = (long) tile.keys() * VectorMemory.bytes(bf16);
    for (int t = tile.from(); t < tile.to(); t++) {
      int first = visible.first(tile.row(), t) - tile.firstKey();
      int last = t - tile.firstKey();
      for (int r = 0; r < shape.perGroup(); r++) {
        VectorSoftmax.backward(
            tile.keys(), bf16, p, gradient, first, last, shape.scale(), scratch.work());
        p += rowBytes;
        gradient += rowBytes;
      }
    }
  }

  private Tensor kept(Tile tile) {
    int tiles = (shape.length() + TILE - 1) / TILE;
    long index = keeps ? (long) tile.pair() * tiles + tile.from() / TILE : 0;
    return probabilities.view(index * tileElements, rows(tile), tile.keys());
  }

  private Tensor queries(Tile tile) {
    return queries.view(queryOffset(tile), rows(tile), shape.headDim());
  }

  private Tensor keyed(Tensor all, Tile tile) {
    return all.view(keyOffset(tile), tile.keys(), shape.headDim());
  }

  private long rows(Tile tile) {
    return (long) (tile.to() - tile.from()) * shape.perGroup();
  }

  private long queryOffset(Tile tile) {
    return heads.queryOffset(tile.row(), tile.group(), tile.from());
  }

  private long keyOffset(Tile tile) {
    return heads.keyOffset(tile.row(), tile.group(), tile.firstKey());
  }

  private interface TileWork {
    void run(Tile tile);
  }

  private void forEachTile(VisibleRange visible, TileWork work) {
    for (int row = 0; row < shape.rows(); row++) {
      for (int group = 0; group < shape.groups(); group++) {
        int pair = row * shape.groups() + group;
        for (int from = 0; from < shape.length(); from += TILE) {
          int to = Math.min(from + TILE, shape.length());
          int firstKey = visible.first(row, from) / ROUND * ROUND;
          int keyCount = roundUp(to) - firstKey;
          try (Scope _ = Scope.open()) {
            work.run(new Tile(row, group, pair, from, to, firstKey, keyCount));
          }
        }
      }
    }
  }

  private static long widestTile(AttentionShape shape) {
    int reach = shape.config().slidingWindow().orElse(shape.length());
    return Math.min(
        roundUp(shape.length()), roundUp(Math.min(reach, shape.length()) + TILE + 2 * ROUND));
  }

  private static VectorHeads.Shape headsOf(AttentionShape shape) {
    return new VectorHeads.Shape(
        shape.rows(),
        shape.length(),
        roundUp(shape.length()),
        shape.groups(),
        shape.perGroup(),
        shape.headDim());
  }

  private static int roundUp(int count) {
    return (count + ROUND - 1) / ROUND * ROUND;
  }

  private static Tensor zeros(DType type, long elements) {
    return Tensor.zeros(type, Device.CPU, elements);
  }
}
