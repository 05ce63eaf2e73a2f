package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.torch.Tensor;

/// A flat array seen as the parameters of a model: weights to compute with, or a gradient to write.
///
/// @param matrices `(out, in)` of each block
record BlockViews(List<Matrices> matrices, Tensor embedding, Tensor head) {

  /// The matrices of one block.
  record Matrices(Tensor projections, Tensor output, Tensor gateUp, Tensor down) {}

  /// The matrices and embeddings within `flat`.
  static BlockViews of(ParameterLayout layout, Tensor flat) {
    List<Matrices> matrices = new ArrayList<>();
    for (ParameterLayout.Layer layer : layout.layers()) {
      ParameterLayout.LayerMatrices slots = layer.matrices();
      matrices.add(
          new Matrices(
              matrix(flat, slots.projections()),
              matrix(flat, slots.output()),
              matrix(flat, slots.gateUp()),
              matrix(flat, slots.down())));
    }
    return new BlockViews(
        List.copyOf(matrices), matrix(flat, layout.embedding()), matrix(flat, layout.head()));
  }

  private static Tensor matrix(Tensor flat, ParameterLayout.Slot slot) {
    return flat.view(slot.offset(), slot.rows(), slot.columns());
  }
}
