package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Tensor;

/// Weights, their gradient and the optimizer's moments as flat arrays in fp32, and the weights once
/// more in the compute type. Views of single parameters are made by the caller and belong to its
/// scope.
///
/// @param compute the same tensor as `weights` when computing in fp32
record Parameters(
    Tensor weights, Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor compute) {

  /// `size` zeros of each, to be filled.
  static Parameters zeros(long size, DType compute, Device device) {
    Tensor weights = Tensor.zeros(DType.F32, device, size);
    return new Parameters(
        weights,
        Tensor.zeros(DType.F32, device, size),
        Tensor.zeros(DType.F32, device, size),
        Tensor.zeros(DType.F32, device, size),
        compute == DType.F32 ? weights : Tensor.zeros(compute, device, size));
  }

  /// Derives the compute copy from the weights.
  void refreshCompute() {
    if (compute != weights) {
      compute.copyFrom(weights);
    }
  }

  /// Zeroes the moments and the gradient.
  void forgetSteps() {
    Aten.zero(firstMoment);
    Aten.zero(secondMoment);
    Aten.zero(gradient);
  }

  /// Elements `[from, to)` of everything.
  ParameterRange range(long from, long to) {
    long count = to - from;
    return new ParameterRange(
        weights.view(from, count),
        gradient.view(from, count),
        firstMoment.view(from, count),
        secondMoment.view(from, count),
        compute.view(from, count));
  }
}
