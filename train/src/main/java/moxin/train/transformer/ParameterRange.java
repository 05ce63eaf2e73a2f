package moxin.train.transformer;

import moxin.torch.Tensor;

/// The same flat range of everything an optimizer step touches.
///
/// @param weights fp32
/// @param gradient fp32
/// @param compute the weights in the compute type; the same memory as `weights` in fp32
record ParameterRange(
    Tensor weights, Tensor gradient, Tensor firstMoment, Tensor secondMoment, Tensor compute) {}
