package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;
import moxin.train.AdaptingLearner;
import moxin.train.DistributedLearner;
import moxin.train.Learner;

/// What a checkpoint takes from a learner: its own memory, or a copy.
interface LearnerSnapshot {

  /// As [Learner#weights].
  List<TensorView> weights();

  /// As [Learner#optimizerState]; asked for when the weights are done with.
  List<TensorView> optimizerState();

  /// The learner itself, where it trains an adapter.
  default Optional<AdaptingLearner> adapting() {
    return Optional.empty();
  }

  /// Writes both into `directory`.
  default void writeTo(Path directory) throws IOException {
    Map<String, String> metadata = Map.of("format", "pt");
    SafetensorsWriter.write(
        directory.resolve(SafetensorsCheckpoint.FILE_NAME), weights(), metadata);
    SafetensorsWriter.write(
        directory.resolve(CheckpointStore.OPTIMIZER), optimizerState(), metadata);
  }

  /// The memory of `learner`. One that several processes are writes by itself, all processes at
  /// once.
  static LearnerSnapshot of(Learner learner) {
    return new LearnerSnapshot() {
      @Override
      public List<TensorView> weights() {
        return learner.weights();
      }

      @Override
      public List<TensorView> optimizerState() {
        return learner.optimizerState();
      }

      @Override
      public Optional<AdaptingLearner> adapting() {
        return learner instanceof AdaptingLearner one ? Optional.of(one) : Optional.empty();
      }

      @Override
      public void writeTo(Path directory) throws IOException {
        if (learner instanceof DistributedLearner distributed) {
          distributed.writeCheckpoint(directory);
        } else {
          LearnerSnapshot.super.writeTo(directory);
        }
      }
    };
  }

  /// A copy that stands in memory of its own.
  record Copied(List<TensorView> weights, List<TensorView> optimizerState)
      implements LearnerSnapshot {}
}
