package moxin.train.recipe;

import moxin.train.OptimizerPlace;
import org.jspecify.annotations.Nullable;

/// What is kept in memory, where, and what is computed again. Nothing here changes a run's numbers.
///
/// @param activations keep unless given
/// @param offload `optimizer` keeps moments and master weights in the host's memory while a GPU
///   computes; none unless given. Nothing changes on a CPU.
public record Memory(Activations activations, OptimizerPlace offload) {

  public Memory(@Nullable Activations activations, @Nullable OptimizerPlace offload) {
    this.activations = activations == null ? Activations.KEEP : activations;
    this.offload = offload == null ? OptimizerPlace.DEVICE : offload;
  }

  static Memory defaults() {
    return new Memory(null, null);
  }
}
