package moxin.train.transformer;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;

/// The sizes of attention over a slice.
///
/// @param rows B of the slice
/// @param length T
/// @param type the compute type
record AttentionShape(ModelConfig config, int rows, int length, DType type, Device device) {

  int groups() {
    return config.numKeyValueHeads();
  }

  int perGroup() {
    return config.numAttentionHeads() / config.numKeyValueHeads();
  }

  int headDim() {
    return config.headDim();
  }

  /// What scores are multiplied by: 1/√D.
  float scale() {
    return (float) (1 / Math.sqrt(headDim()));
  }
}
