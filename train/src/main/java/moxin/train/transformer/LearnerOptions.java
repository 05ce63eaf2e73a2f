package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Device;
import moxin.train.MasterWeights;

/// How a [TorchLearner] computes.
///
/// @param computeType [DType#F32] or [DType#BF16]
/// @param processors how many of the host's processors to use
/// @param zLoss the weight of log² Z in the loss that is learnt from, Z the sum of the exponentials
///   of a position's logits (Chowdhery et al. 2022, PaLM); 0 for none
public record LearnerOptions(
    DType computeType,
    Device device,
    int processors,
    ActivationMemory activationMemory,
    UpdateOptions updates,
    double zLoss) {

  public LearnerOptions {
    if (computeType != DType.F32 && computeType != DType.BF16) {
      throw new IllegalArgumentException("training computes in F32 or BF16, not " + computeType);
    }
    if (processors < 1) {
      throw new IllegalArgumentException("processors must be positive, found " + processors);
    }
    if (computeType == DType.F32 && updates.master() == MasterWeights.NONE) {
      throw new IllegalArgumentException("without master weights training computes in BF16");
    }
    if (!(zLoss >= 0 && zLoss < 1)) {
      throw new IllegalArgumentException("zLoss must be in [0, 1), found " + zLoss);
    }
  }

  /// With an optimizer that keeps everything in fp32, and without z-loss.
  public LearnerOptions(
      DType computeType, Device device, int processors, ActivationMemory activationMemory) {
    this(computeType, device, processors, activationMemory, UpdateOptions.exact(), 0);
  }

  /// On all processors of this machine.
  public static LearnerOptions onCpu(DType computeType) {
    return new LearnerOptions(
        computeType, Device.CPU, Runtime.getRuntime().availableProcessors(), ActivationMemory.KEEP);
  }
}
