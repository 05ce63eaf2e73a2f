package moxin.train.transformer;

import moxin.train.adapter.FrozenWeights;

/// The model beneath an adapter: weights that are only read. Threads are told apart, since each may
/// hold the weights of another layer.
interface FrozenBase extends AutoCloseable {

  /// How its matrices are kept.
  FrozenWeights kind();

  /// The norms.
  NormViews norms();

  /// Matrices and embeddings in the compute type, as thread `worker` sees them: a layer's are valid
  /// from when [#pass] has been told of the layer until it is told of another.
  BlockViews blocks(int worker);

  /// Is to be told where the pass of thread `worker` is.
  LayerPass pass(int worker);

  @Override
  void close();
}
