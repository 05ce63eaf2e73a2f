package moxin.train.transformer;

import moxin.train.adapter.FrozenWeights;

/// A model kept in the compute type.
record PlainBase(ModelWeights weights) implements FrozenBase {

  @Override
  public FrozenWeights kind() {
    return FrozenWeights.PLAIN;
  }

  @Override
  public NormViews norms() {
    return weights.norms();
  }

  @Override
  public BlockViews blocks(int worker) {
    return weights.blocks();
  }

  @Override
  public LayerPass pass(int worker) {
    return LayerPass.UNWATCHED;
  }

  @Override
  public void close() {
    weights.close();
  }
}
