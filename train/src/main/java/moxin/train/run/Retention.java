package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import moxin.train.recipe.Checkpoints;

/// Which checkpoints stay: the newest few, those that the recipe names, and those of phase ends.
///
/// @param ends the steps after which phases end
record Retention(CheckpointStore store, Checkpoints recipe, List<Long> ends) {

  /// A target that removes old checkpoints once `target` has written a new one.
  CheckpointWriter.Target after(CheckpointWriter.Target target) {
    return (state, learner) -> {
      Path written = target.write(state, learner);
      prune(state);
      return written;
    };
  }

  private void prune(TrainerState state) throws IOException {
    Integer keepLast = recipe.keepLast();
    if (keepLast != null) {
      // A checkpoint of another cause does not push out the last that the recipe asked for.
      long spared = state.step() == state.regularStep() ? -1 : state.regularStep();
      store.prune(keepLast, step -> recipe.keeps(step) || ends.contains(step) || step == spared);
    }
  }
}
