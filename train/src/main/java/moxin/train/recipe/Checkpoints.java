package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// When checkpoints are written and which stay. One is always written after the last step of a
/// phase.
///
/// @param everySteps 500 unless given; 0 for none in between
/// @param atSteps further steps of the run, counted from 1; these are always kept
/// @param keepLast how many of the others are kept, besides phase ends; all unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Checkpoints(Long everySteps, List<Long> atSteps, @Nullable Integer keepLast) {

  public Checkpoints(
      @Nullable Long everySteps, @Nullable List<Long> atSteps, @Nullable Integer keepLast) {
    this.everySteps = everySteps == null ? 500 : everySteps;
    this.atSteps = atSteps == null ? List.of() : List.copyOf(atSteps);
    this.keepLast = keepLast;
    Require.atLeast("everySteps", this.everySteps, 0);
    this.atSteps.forEach(step -> Require.atLeast("atSteps", step, 1));
    if (keepLast != null) {
      Require.atLeast("keepLast", keepLast, 1);
    }
  }

  static Checkpoints defaults() {
    return new Checkpoints(null, null, null);
  }

  /// Whether a checkpoint follows step `step` of the run, counted from 1.
  public boolean due(long step) {
    return atSteps.contains(step) || (everySteps > 0 && step % everySteps == 0);
  }
}
