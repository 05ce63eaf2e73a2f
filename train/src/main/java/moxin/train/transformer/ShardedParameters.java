package moxin.train.transformer;

import java.util.List;
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
  private final Tensor weights;
  private final Tensor gradient;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private final Tensor compute;
  private final Tensor full;
  private final Tensor window;
  private final Tensor norms;
  private final BlockViews blocks;
  private final NormViews normViews;

  /// Zeros, to be filled. Tensors belong to the scope of the caller.
  ShardedParameters(
      ParameterLayout layout, ShardLayout shards, int rank, ZeroStage stage, DType type) {
    this.stage = stage;
    this.layout = layout;
    this.shards = shards;
    boolean divided = stage != ZeroStage.NONE;
    this.owned = divided ? shards.compactParts(rank) : shards.spreadParts(rank);
    this.updated = divided ? owned : new ShardLayout(layout, 1).spreadParts(0);
    long size = divided ? ShardLayout.size(owned) : layout.size();
    this.weights = zeros(DType.F32, size);
    this.gradient = zeros(DType.F32, size);
    this.firstMoment = zeros(DType.F32, size);
    this.secondMoment = zeros(DType.F32, size);
    this.compute = type == DType.F32 ? weights : zeros(type, size);
    boolean windowed = stage == ZeroStage.WEIGHTS;
    long matrices = layout.matricesEnd();
    long origin = windowed ? matrices : 0;
    this.full = divided ? zeros(type, layout.embeddingsEnd() - origin) : compute;
    this.window = windowed ? zeros(type, 2 * layout.buckets().getFirst().elements()) : full;
    this.norms = divided ? zeros(DType.F32, layout.size() - layout.embeddingsEnd()) : weights;
    this.blocks =
        BlockViews.of(
            layout,
            layer -> {
              ParameterLayout.Bucket bucket = layout.buckets().get(layer);
              Place place = computed(layer);
              return new BlockViews.Window(place.flat(), bucket.from() - place.at());
            },
            new BlockViews.Window(full, origin));
    this.normViews = NormViews.of(layout, norms, divided ? layout.embeddingsEnd() : 0);
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

  Tensor weights() {
    return weights;
  }

  Tensor gradient() {
    return gradient;
  }

  Tensor firstMoment() {
    return firstMoment;
  }

  Tensor secondMoment() {
    return secondMoment;
  }

  BlockViews blocks() {
    return blocks;
  }

  NormViews normViews() {
    return normViews;
  }

  /// Elements `[at, at + count)` of all that an update touches.
  ParameterRange range(long at, long count) {
    return new ParameterRange(
        weights.view(at, count),
        gradient.view(at, count),
        firstMoment.view(at, count),
        secondMoment.view(at, count),
        compute.view(at, count));
  }

  /// Derives the own part of the weights to compute with.
  void refreshCompute() {
    if (compute != weights) {
      compute.copyFrom(weights);
    }
  }

  /// The own part of bucket `index` in one of the flat arrays.
  Place owned(Tensor flat, int index) {
    ShardLayout.Part part = owned.get(index);
    return new Place(flat, part.at(), part.elements());
  }

  /// The own part of bucket `index` as others compute with it.
  Place published(int index) {
    return owned(index == norms() ? weights : compute, index);
  }

  /// Where all of bucket `index` stands to compute with; even and odd layers share places at stage
  /// 3.
  Place computed(int index) {
    ParameterLayout.Bucket bucket = layout.buckets().get(index);
    if (index == norms()) {
      return new Place(norms, divided() ? 0 : bucket.from(), bucket.elements());
    }
    if (stage != ZeroStage.WEIGHTS) {
      return new Place(full, bucket.from(), bucket.elements());
    }
    return index < layers()
        ? new Place(window, index % 2 * bucket.elements(), bucket.elements())
        : new Place(full, bucket.from() - layout.matricesEnd(), bucket.elements());
  }
}
