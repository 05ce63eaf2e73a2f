package moxin.train.recipe;

import org.jspecify.annotations.Nullable;

/// What is kept in memory and what is computed again. Nothing here changes a run's numbers.
///
/// @param activations keep unless given
public record Memory(Activations activations) {

  public Memory(@Nullable Activations activations) {
    this.activations = activations == null ? Activations.KEEP : activations;
  }

  static Memory defaults() {
    return new Memory(null);
  }
}
