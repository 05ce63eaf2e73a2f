package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Tensor;

/// The same flat range of everything an optimizer step touches.
///
/// @param weights fp32, or bf16 where there are no others
/// @param gradient fp32
/// @param compute the weights in the compute type; the same tensor as `weights` where these are
///   computed with
/// @param index which element of all parameters the first is
record ParameterRange(
    Tensor weights, Tensor gradient, Moment first, Moment second, Tensor compute, long index) {

  /// Whether all that is kept from step to step is fp32.
  boolean exact() {
    return weights.type() == DType.F32 && first.values().type() == DType.F32;
  }

  /// Whether the weights are computed with in another type.
  boolean copied() {
    return compute != weights;
  }
}
