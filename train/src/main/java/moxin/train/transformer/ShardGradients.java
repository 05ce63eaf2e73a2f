package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.model.DType;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.ZeroStage;

/// The gradients of a slice before they are added up: of all layers, or from stage 2 on of two, of
/// which one is written while the other is sent.
final class ShardGradients implements AutoCloseable {
  private final ParameterLayout layout;
  private final DType type;
  private final int hidden;
  private final boolean windowed;
  private final Tensor matrices;
  private final Tensor head;
  private final Tensor norms;
  private final BlockViews blocks;
  private final NormViews normViews;
  private final List<Tensor> tensors;
  private final List<Tensor> embedded = new ArrayList<>();
  private long positions;

  ShardGradients(ParameterLayout layout, int hidden, DType type, ZeroStage stage) {
    this.layout = layout;
    this.type = type;
    this.hidden = hidden;
    this.windowed = stage.compareTo(ZeroStage.GRADIENTS) >= 0;
    try (Scope scope = Scope.open()) {
      long layer = layout.buckets().getFirst().elements();
      long all = windowed ? 2 * layer : layout.matricesEnd();
      this.matrices = Tensor.zeros(type, Device.CPU, all);
      this.head = Tensor.zeros(type, Device.CPU, layout.head().elements());
      this.norms = Tensor.zeros(DType.F32, Device.CPU, layout.size() - layout.embeddingsEnd());
      this.blocks =
          BlockViews.gradient(
              layout,
              index -> {
                Place place = layer(index);
                long from = layout.buckets().get(index).from();
                return new BlockViews.Window(matrices, from - place.at());
              },
              head);
      this.normViews = NormViews.of(layout, norms, layout.embeddingsEnd());
      this.tensors = scope.detach();
    }
  }

  /// Whether even layers share their place, and odd ones.
  boolean windowed() {
    return windowed;
  }

  DType type() {
    return type;
  }

  /// Makes room for `rounds` slices of at most `count` positions.
  void reserve(int rounds, long count) {
    if (count > positions) {
      closeEmbedded();
      positions = count;
    }
    while (embedded.size() < rounds) {
      try (Scope scope = Scope.open()) {
        embedded.add(Tensor.zeros(DType.F32, Device.CPU, positions, hidden));
        scope.detach();
      }
    }
  }

  /// The gradient of the slice of round `round`, in the memory of the rounds before but for the
  /// embedded rows.
  SliceGradient of(int round) {
    return new SliceGradient(matrices, norms, embedded.get(round), blocks, normViews);
  }

  /// `(positions, C)` of round `round`.
  Tensor embedded(int round) {
    return embedded.get(round);
  }

  /// The gradient of layer `index`.
  Place layer(int index) {
    ParameterLayout.Bucket bucket = layout.buckets().get(index);
    long at = windowed ? index % 2 * bucket.elements() : bucket.from();
    return new Place(matrices, at, bucket.elements());
  }

  /// The gradient of the output projection.
  Place head() {
    return new Place(head, 0, layout.head().elements());
  }

  /// The gradient of the norms.
  Place norms() {
    return new Place(norms, 0, layout.size() - layout.embeddingsEnd());
  }

  @Override
  public void close() {
    closeEmbedded();
    tensors.forEach(Tensor::close);
  }

  private void closeEmbedded() {
    embedded.forEach(Tensor::close);
    embedded.clear();
  }
}
