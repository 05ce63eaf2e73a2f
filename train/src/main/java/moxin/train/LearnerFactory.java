package moxin.train;

import moxin.model.DType;
import moxin.model.ModelConfig;

/// Makes the learner of a run; the composition root decides on which device.
@FunctionalInterface
public interface LearnerFactory {

  /// A learner with random weights.
  ///
  /// @param computeType F32 or BF16, the arithmetic of forward and backward
  /// @param seed of the weights; the same seed gives the same weights
  Learner create(ModelConfig config, DType computeType, long seed);
}
