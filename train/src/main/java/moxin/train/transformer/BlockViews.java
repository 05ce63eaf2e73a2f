package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import moxin.torch.Tensor;

/// A flat array seen as the parameters of a model: weights to compute with, or a gradient to write.
///
/// @param matrices `(out, in)` of each block
record BlockViews(List<Matrices> matrices, Tensor embedding, Tensor head) {

  /// The matrices of one block.
  record Matrices(Tensor projections, Tensor output, Tensor gateUp, Tensor down) {

    /// The matrix of `linear`.
    Tensor of(Linear linear) {
      return switch (linear) {
        case PROJECTIONS -> projections;
        case OUTPUT -> output;
        case GATE_UP -> gateUp;
        case DOWN -> down;
      };
    }
  }

  /// Part of a flat array.
  ///
  /// @param origin the parameter element that the first one of `flat` is
  record Window(Tensor flat, long origin) {
    private Tensor matrix(ParameterLayout.Slot slot) {
      return flat.view(slot.offset() - origin, slot.rows(), slot.columns());
    }
  }

  /// The matrices and embeddings within `flat`.
  static BlockViews of(ParameterLayout layout, Tensor flat) {
    Window whole = new Window(flat, 0);
    return new BlockViews(
        matrices(layout, _ -> whole),
        whole.matrix(layout.embedding()),
        whole.matrix(layout.head()));
  }

  /// The matrices of each layer within a window of its own; embedding and head within `embeddings`.
  static BlockViews of(ParameterLayout layout, IntFunction<Window> layers, Window embeddings) {
    return new BlockViews(
        matrices(layout, layers),
        embeddings.matrix(layout.embedding()),
        embeddings.matrix(layout.head()));
  }

  /// As a gradient: the matrices of each layer within a window of its own, the head's in `head`.
  static BlockViews gradient(ParameterLayout layout, IntFunction<Window> layers, Tensor head) {
    Tensor view = new Window(head, layout.head().offset()).matrix(layout.head());
    return new BlockViews(matrices(layout, layers), view, view);
  }

  private static List<Matrices> matrices(ParameterLayout layout, IntFunction<Window> layers) {
    List<Matrices> matrices = new ArrayList<>();
    for (int layer = 0; layer < layout.layers().size(); layer++) {
      ParameterLayout.LayerMatrices slots = layout.layers().get(layer).matrices();
      Window window = layers.apply(layer);
      matrices.add(
          new Matrices(
              window.matrix(slots.projections()),
              window.matrix(slots.output()),
              window.matrix(slots.gateUp()),
              window.matrix(slots.down())));
    }
    return List.copyOf(matrices);
  }
}
