package moxin.train.recipe;

import org.jspecify.annotations.Nullable;

/// Statistics of every parameter: the norms of gradient and weight and the size of the update
/// relative to the weight. They take a copy of the weights in host memory.
///
/// @param everySteps 100 unless given
public record Statistics(Long everySteps) {

  public Statistics(@Nullable Long everySteps) {
    this.everySteps = everySteps == null ? 100 : everySteps;
    Require.atLeast("everySteps", this.everySteps, 1);
  }
}
