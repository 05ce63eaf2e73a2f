package moxin.train.transformer;

import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;

/// How a learner keeps what its optimizer works on.
///
/// @param seed of the random bits by which narrow numbers are rounded; bits depend on it, on the
///   number of the step and on which element of the parameters is rounded, and on nothing else
public record UpdateOptions(
    OptimizerStates states, MasterWeights master, OptimizerPlace place, long seed) {

  /// Everything in fp32, on the device.
  public static UpdateOptions exact() {
    return new UpdateOptions(OptimizerStates.FP32, MasterWeights.FP32, OptimizerPlace.DEVICE, 0);
  }

  /// The same with another seed.
  public UpdateOptions withSeed(long other) {
    return new UpdateOptions(states, master, place, other);
  }
}
