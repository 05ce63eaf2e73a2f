package moxin.train.transformer;

import java.util.LinkedHashMap;
import java.util.Map;
import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Tensor;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;

/// Weights, their gradient and the optimizer's moments as flat arrays, and the weights once more in
/// the compute type. Norms come last and are computed with in fp32. Views of single parameters are
/// made by the caller and belong to its scope.
///
/// @param split where the norms begin
/// @param weights those before, which the optimizer changes
/// @param exact the norms, fp32
/// @param gradient of all, fp32
/// @param compute the same tensor as `weights` when computing in fp32, and without master weights
record Parameters(
    long split,
    Tensor weights,
    Tensor exact,
    Tensor gradient,
    Moment first,
    Moment second,
    Tensor compute) {

  /// `size` zeros of each, to be filled.
  static Parameters zeros(long size, long split, LearnerOptions options) {
    DType type = options.computeType();
    UpdateOptions updates = options.updates();
    Device device = options.device();
    Device states = updates.place() == OptimizerPlace.HOST ? Device.CPU : device;
    Tensor compute = Tensor.zeros(type, device, Math.max(1, split));
    boolean same = type == DType.F32 || updates.master() == MasterWeights.NONE;
    return new Parameters(
        split,
        same ? compute : Tensor.zeros(DType.F32, states, Math.max(1, split)),
        Tensor.zeros(DType.F32, device, Math.max(1, size - split)),
        Tensor.zeros(DType.F32, device, Math.max(1, size)),
        Moment.first(updates.states(), Math.max(1, size), states),
        Moment.second(updates.states(), Math.max(1, size), states),
        compute);
  }

  /// Derives the compute copy from the weights.
  void refreshCompute() {
    if (compute != weights) {
      compute.copyFrom(weights);
    }
  }

  /// Zeroes the moments and the gradient.
  void forgetSteps() {
    first.zero();
    second.zero();
    Aten.zero(gradient);
  }

  /// `count` elements from `at` on of everything, either all before [#split] or none.
  ///
  /// @param index which element of all parameters the first is
  ParameterRange range(long at, long count, long index) {
    Tensor changed = weightArray().view(at, count);
    return new ParameterRange(
        changed,
        gradient.view(at, count),
        first.range(at, count),
        second.range(at, count),
        at < split && compute != weights ? compute.view(at, count) : changed,
        index);
  }

  /// The weights that the optimizer changes.
  FlatArray weightArray() {
    return new FlatArray(weights, split, exact, 1);
  }

  /// What the optimizer remembers, by what the names of tensors in files end with.
  Map<String, FlatArray> stateArrays() {
    Map<String, FlatArray> arrays = new LinkedHashMap<>();
    arrays.put(ParameterFiles.FIRST_MOMENT, FlatArray.of(first.values()));
    arrays.put(ParameterFiles.SECOND_MOMENT, FlatArray.of(second.values()));
    if (first.coded()) {
      arrays.put(
          ParameterFiles.FIRST_MOMENT + ParameterFiles.SCALES, FlatArray.ofBlocks(first.scales()));
      arrays.put(
          ParameterFiles.SECOND_MOMENT + ParameterFiles.SCALES,
          FlatArray.ofBlocks(second.scales()));
    }
    return arrays;
  }
}
