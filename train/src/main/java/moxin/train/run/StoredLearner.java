package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import moxin.model.SafetensorsCheckpoint;
import moxin.train.AdaptingLearner;
import moxin.train.Learner;

/// Learners as checkpoints hold them.
final class StoredLearner {

  private StoredLearner() {}

  /// Replaces weights and optimizer state of `learner` by those of `checkpoint`.
  static void load(Path checkpoint, Learner learner) throws IOException {
    if (learner instanceof AdaptingLearner adapting) {
      AdapterRun.load(adapting, checkpoint);
      return;
    }
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(checkpoint)) {
      learner.loadWeights(weights);
    }
    try (SafetensorsCheckpoint state = CheckpointStore.openOptimizer(checkpoint)) {
      learner.loadOptimizerState(state);
    }
  }
}
