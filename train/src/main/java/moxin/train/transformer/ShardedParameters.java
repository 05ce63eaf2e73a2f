package moxin.train.transformer;

import java.util.List;
import java.util.Map;
import moxin.model.DType;
import moxin.torch.Device;
import moxin.torch.Tensor;
import moxin.train.ZeroStage;

/// What one of several processes holds of the parameters: of fp32 weights, moments and sums of
/// gradients its own parts (all, at stage 0), and the weights to compute with in full. From stage 3
/// on these are two layers only, of which one is computed with while the other arrives; embedding,
/// output projection and norms are always in full.
final class ShardedParameters {
  private final ZeroStage stage;
  private final ParameterLayout layout;
  private final ShardLayout shards;
  private final List<ShardLayout.Part> owned;
  private final List<ShardLayout.Part> updated;
  private final Parameters own;
  private final Tensor full;
  private final Tensor window;
  private final Tensor norms;
  private final BlockViews blocks;
  private final NormViews normViews;

  /// Zeros, to be filled. Tensors belong to the scope of the caller.
  ShardedParameters(
      ParameterLayout layout,
      ShardLayout shards,
      int rank,
      ZeroStage stage,
      LearnerOptions options) {
    DType type = options.computeType();
    this.stage = stage;
    this.layout = layout;
    this.shards = shards;
    boolean divided = stage != ZeroStage.NONE;
    this.owned = divided ? shards.compactParts(rank) : shards.spreadParts(rank);
    this.updated = divided ? owned : new ShardLayout(layout, 1).spreadParts(0);
    long size = divided ? ShardLayout.size(owned) : layout.size();
    this.own = Parameters.zeros(size, updated.getLast().at(), options);
    boolean windowed = stage == ZeroStage.WEIGHTS;
    long matrices = layout.matricesEnd();
    long origin = windowed ? matrices : 0;
    this.full = divided ? zeros(type, layout.embeddingsEnd() - origin) : own.compute();
    this.window = windowed ? zeros(type, 2 * layout.buckets().getFirst().elements()) : full;
    this.norms = divided ? zeros(DType.F32, layout.size() - layout.embeddingsEnd()) : own.exact();
    this.blocks =
        BlockViews.of(
            layout,
            layer -> {
              ParameterLayout.Bucket bucket = layout.buckets().get(layer);
              Place place = computed(layer);
              return new BlockViews.Window(place.flat(), bucket.from() - place.at());
            },
            new BlockViews.Window(full, origin));
    this.normViews = NormViews.of(layout, norms, layout.embeddingsEnd());
  }

  private static Tensor zeros(DType type, long size) {
    return Tensor.zeros(type, Device.CPU, Math.max(1, size));
  }

  ZeroStage stage() {
    return stage;
  }

  ParameterLayout layout() {
    return layout;
  }

  ShardLayout shards() {
    return shards;
  }

  /// Whether every process holds its parts only.
  boolean divided() {
    return stage != ZeroStage.NONE;
  }

  int layers() {
    return layout.layers().size();
  }

  /// The index of the embedding's bucket.
  int embedding() {
    return layers();
  }

  /// The index of the output projection's bucket; the embedding's where they are tied.
  int head() {
    return layout.buckets().size() - 2;
  }

  /// The index of the norms' bucket.
  int norms() {
    return layout.buckets().size() - 1;
  }

  /// The parts of the gradient that this process sums, one of each bucket.
  List<ShardLayout.Part> owned() {
    return owned;
  }

  /// The parts that this process updates.
  List<ShardLayout.Part> updated() {
    return updated;
  }

  Tensor gradient() {
    return own.gradient();
  }

  /// The weights that this process changes, by their positions in its arrays.
  FlatArray weightArray() {
    return own.weightArray();
  }

  /// As [Parameters#stateArrays], of this process.
  Map<String, FlatArray> stateArrays() {
    return own.stateArrays();
  }

  BlockViews blocks() {
    return blocks;
  }

  NormViews normViews() {
    return normViews;
  }

  /// `count` elements from position `at` on of all that an update touches.
  ///
  /// @param index which element of all parameters the first is
  ParameterRange range(long at, long count, long index) {
    return own.range(at, count, index);
  }

  /// Derives the own part of the weights to compute with.
  void refreshCompute() {
    own.refreshCompute();
  }

  /// The own part of bucket `index` in one of the flat arrays.
  Place owned(FlatArray array, int index) {
    ShardLayout.Part part = owned.get(index);
    return array.place(part.at(), part.elements());
  }

  /// The own part of bucket `index` as others compute with it.
  Place published(int index) {
    return owned(index == norms() ? weightArray() : FlatArray.of(own.compute()), index);
  }

  /// Where all of bucket `index` stands to compute with; even and odd layers share places at stage
  /// 3.
  Place computed(int index) {
    ParameterLayout.Bucket bucket = layout.buckets().get(index);
    if (index == norms()) {
      return new Place(norms, 0, bucket.elements());
    }
    if (stage != ZeroStage.WEIGHTS) {
      return new Place(full, bucket.from(), bucket.elements());
    }
    return index < layers()
        ? new Place(window, index % 2 * bucket.elements(), bucket.elements())
        : new Place(full, bucket.from() - layout.matricesEnd(), bucket.elements());
  }
}
