package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Device;
import moxin.torch.Tensor;

/// Weights, their gradient and the optimizer's moments as flat arrays in fp32, and the weights once
/// more in the compute type. Views of single parameters are made by the caller and belong to its
/// scope.
///
/// @param compute the same tensor as `weights` when computing in fp32
record Parameters(
    ParameterLayout layout,
    Tensor weights,
    Tensor gradient,
    Tensor firstMoment,
    Tensor secondMoment,
    Tensor compute) {

  /// Zeros, to be filled.
  static Parameters zeros(ParameterLayout layout, DType compute, Device device) {
    Tensor weights = Tensor.zeros(DType.F32, device, layout.size());
    return new Parameters(
        layout,
        weights,
        Tensor.zeros(DType.F32, device, layout.size()),
        Tensor.zeros(DType.F32, device, layout.size()),
        Tensor.zeros(DType.F32, device, layout.size()),
        compute == DType.F32 ? weights : Tensor.zeros(compute, device, layout.size()));
  }

  /// Derives the compute copy from the weights.
  void refreshCompute() {
    if (compute != weights) {
      compute.copyFrom(weights);
    }
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
