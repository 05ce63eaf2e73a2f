package moxin.train;

import moxin.job.BadInputException;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.FrozenWeights;

/// Makes the learner of a run; the composition root decides on which device.
@FunctionalInterface
public interface LearnerFactory {

  /// A learner with random weights.
  ///
  /// @param computeType F32 or BF16, the arithmetic of forward and backward
  /// @param seed of the weights; the same seed gives the same weights
  Learner create(ModelConfig config, DType computeType, long seed);

  /// A learner that trains a fresh adapter on a model whose own weights stay as they are.
  ///
  /// @param base the model's weights, which are copied
  /// @param seed of the adapter
  /// @throws BadInputException if these learners train no adapters
  default AdaptingLearner adapt(
      ModelConfig config, DType computeType, long seed, AdapterPlan plan, Checkpoint base) {
    throw new BadInputException(
        "these learners train no adapters; train them in one process, without a launcher");
  }

  /// What is trained, and how.
  ///
  /// @param weights how the model beneath is kept
  /// @param dropout the probability that an element of an adapter's input is dropped, in [0, 1)
  record AdapterPlan(AdapterSettings settings, FrozenWeights weights, double dropout) {}
}
