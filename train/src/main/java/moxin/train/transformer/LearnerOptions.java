package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Device;

/// How a [TorchLearner] computes.
///
/// @param computeType [DType#F32] or [DType#BF16]
/// @param processors how many of the host's processors to use
public record LearnerOptions(
    DType computeType, Device device, int processors, ActivationMemory activationMemory) {

  public LearnerOptions {
    if (computeType != DType.F32 && computeType != DType.BF16) {
      throw new IllegalArgumentException("training computes in F32 or BF16, not " + computeType);
    }
    if (processors < 1) {
      throw new IllegalArgumentException("processors must be positive, found " + processors);
    }
  }

  /// On all processors of this machine.
  public static LearnerOptions onCpu(DType computeType) {
    return new LearnerOptions(
        computeType, Device.CPU, Runtime.getRuntime().availableProcessors(), ActivationMemory.KEEP);
  }
}
