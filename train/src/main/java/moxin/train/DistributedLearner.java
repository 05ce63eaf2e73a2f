package moxin.train;

import java.io.IOException;
import java.nio.file.Path;

/// A learner that several processes are. Its methods are called on one of them, the leader.
public interface DistributedLearner extends Learner {

  /// Writes weights and optimizer's state into `directory`, which every process can reach, each
  /// process a share of it: `model-00001-of-0000N.safetensors` and so on with
  /// `model.safetensors.index.json`, and the same for `optimizer`. The tensors are those of
  /// [#weights] and [#optimizerState].
  ///
  /// @throws IOException if any process cannot write
  void writeCheckpoint(Path directory) throws IOException;
}
