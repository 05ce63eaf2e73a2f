package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Device;

/// How a [TorchLanguageModel] computes.
///
/// @param computeType [DType#F32] or [DType#BF16]: of matrices, activations, keys and values
/// @param processors how many of the host's processors an operator may use
public record TorchModelOptions(DType computeType, Device device, int processors) {

  public TorchModelOptions {
    if (computeType != DType.F32 && computeType != DType.BF16) {
      throw new IllegalArgumentException("a model computes in F32 or BF16, not " + computeType);
    }
    if (processors < 1) {
      throw new IllegalArgumentException("processors must be positive, found " + processors);
    }
  }

  /// On all processors of this machine.
  public static TorchModelOptions onCpu(DType computeType) {
    return new TorchModelOptions(
        computeType, Device.CPU, Runtime.getRuntime().availableProcessors());
  }
}
