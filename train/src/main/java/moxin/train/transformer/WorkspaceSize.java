package moxin.train.transformer;

import moxin.model.DType;
import moxin.model.ModelConfig;

/// The bytes of a [Workspace] on the CPU, without allocating it.
///
/// @param rows of a slice
/// @param length of a row
/// @param type the compute type
record WorkspaceSize(
    ModelConfig config, int rows, int length, DType type, ActivationMemory memory) {

  long bytes() {
    long blocks = config.numHiddenLayers();
    long kept = memory == ActivationMemory.RECOMPUTE ? 1 : blocks;
    long whole = memory == ActivationMemory.KEEP ? blocks : 1;
    return blocks * residual()
        + kept * attention()
        + whole * computed()
        + VectorAttention.sharedBytes(shape())
        + shared();
  }

  private AttentionShape shape() {
    return new AttentionShape(config, rows, length, type, moxin.torch.Device.CPU);
  }

  private long positions() {
    return (long) rows * length;
  }

  private long attendedWidth() {
    return (long) config.numAttentionHeads() * config.headDim();
  }

  private long residual() {
    return Float.BYTES * positions() * config.hiddenSize();
  }

  private long scales() {
    return Float.BYTES * positions();
  }

  private long activations(long width) {
    return type.byteSize() * positions() * width;
  }

  /// What a block keeps of attention, and of the residual stream besides its input.
  private long attention() {
    return residual()
        + 2 * scales()
        + activations(attendedWidth())
        + VectorAttention.bytes(shape());
  }

  /// What norms and the feed-forward layer compute from it.
  private long computed() {
    return 2 * activations(config.hiddenSize()) + activations(2L * config.intermediateSize());
  }

  /// What all blocks use in turn.
  private long shared() {
    long projected = attendedWidth() + 2L * config.numKeyValueHeads() * config.headDim();
    return activations(projected)
        + 3 * activations(config.hiddenSize())
        + activations(config.intermediateSize())
        + activations(attendedWidth())
        + 2 * residual()
        + scales()
        + type.byteSize() * Workspace.logitRows(config, positions()) * config.vocabSize();
  }
}
