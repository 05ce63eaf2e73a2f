package moxin.train.transformer;

import java.util.List;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// The weights of a model that only runs: matrices and embeddings in the compute type, norms in
/// fp32. Immutable.
final class ModelWeights implements AutoCloseable {
  private static final int PIECE = 1 << 20;

  private final BlockViews blocks;
  private final NormViews norms;
  private final List<Tensor> tensors;

  private ModelWeights(BlockViews blocks, NormViews norms, List<Tensor> tensors) {
    this.blocks = blocks;
    this.norms = norms;
    this.tensors = tensors;
  }

  /// Copies the weights of `checkpoint`.
  ///
  /// @throws moxin.model.CheckpointFormatException if one is missing or has another shape
  static ModelWeights load(
      ModelConfig config, Checkpoint checkpoint, DType computeType, Device device) {
    WeightNames.requireComplete(checkpoint, config);
    ParameterLayout layout = new ParameterLayout(config);
    long matrices = layout.embeddingsEnd();
    try (Scope scope = Scope.open()) {
      Tensor compute = Tensor.zeros(computeType, device, matrices);
      Tensor exact = Tensor.zeros(DType.F32, device, layout.size() - matrices);
      for (String name : WeightNames.shapes(config).keySet()) {
        long at = layout.slot(name).offset();
        if (at < matrices) {
          copy(checkpoint.tensor(name), compute, at);
        } else {
          copy(checkpoint.tensor(name), exact, at - matrices);
        }
      }
      BlockViews blocks = BlockViews.of(layout, compute);
      NormViews norms = NormViews.of(layout, exact, matrices);
      return new ModelWeights(blocks, norms, scope.detach());
    }
  }

  /// Copies a weight to element `at` of `flat`, a piece at a time: a weight may be larger than the
  /// heap has room for.
  static void copy(TensorView weight, Tensor flat, long at) {
    for (long from = 0; from < weight.elements(); from += PIECE) {
      int count = (int) Math.min(PIECE, weight.elements() - from);
      float[] piece = new float[count];
      Precision.widen(weight, from, piece, 0, count);
      try (Scope _ = Scope.open()) {
        flat.view(at + from, count).copyFrom(Tensor.of(piece, Device.CPU, count));
      }
    }
  }

  BlockViews blocks() {
    return blocks;
  }

  NormViews norms() {
    return norms;
  }

  @Override
  public void close() {
    tensors.forEach(Tensor::close);
  }
}
