package moxin.train;

import java.util.List;
import moxin.model.Checkpoint;
import moxin.model.ModelConfig;
import moxin.model.TensorView;

/// A model with its gradients and optimizer state on a device: all that one training step touches.
///
/// Gradients accumulate over [#accumulate] calls until [#step]. Not thread-safe.
public interface Learner extends AutoCloseable {

  /// The shape of the model.
  ModelConfig config();

  /// Runs forward and backward and adds to the gradients those of `scale · Σ loss` over the batch's
  /// targets. With `scale` = 1 / (targets of all micro-batches) the gradient is that of the mean
  /// loss, however the batch is split.
  ///
  /// @return Σ loss in nats over the targets, unscaled
  double accumulate(Batch batch, double scale);

  /// Σ loss in nats over the batch's targets, without gradients.
  double evaluate(Batch batch);

  /// The Euclidean norm of all gradients accumulated since the last step; not finite if any is not.
  double gradientNorm();

  /// One AdamW update from the accumulated gradients, scaled to at most `adamW.gradientClip()` in
  /// norm, and zeroes them.
  ///
  /// @param learningRate of this step
  void step(AdamW adamW, double learningRate);

  /// Zeroes the gradients without an update, as after a loss that is not finite.
  void discardGradients();

  /// The weights under their Hugging Face names, in fp32, or in bf16 where the optimizer changes
  /// such weights, in host memory that stays valid until the next call of any method of this
  /// learner. Any thread may read them. Tied embeddings stand once.
  List<TensorView> weights();

  /// The gradients accumulated since the last step under the weights' names, in fp32, valid as
  /// [#weights]. Any thread may read them.
  List<TensorView> gradients();

  /// The optimizer's state under names derived from the weights' (`NAME.exp_avg`,
  /// `NAME.exp_avg_sq`, with `_scale` behind it those of 8-bit codes) and `step`, in the types in
  /// which it is kept, valid as [#weights].
  List<TensorView> optimizerState();

  /// Replaces the weights by those of `checkpoint`; shapes must agree.
  void loadWeights(Checkpoint checkpoint);

  /// Replaces the optimizer's state by what [#optimizerState] once gave.
  void loadOptimizerState(Checkpoint checkpoint);

  @Override
  void close();
}
