package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// The course of the learning rate over a number of steps: a linear warm-up, then `kind` down to a
/// fraction of the peak, which the last step reaches.
///
/// @param kind cosine unless given
/// @param warmupSteps steps until the peak; 0 unless given
/// @param finalFraction of the peak at the end; 0.1 unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Schedule(ScheduleKind kind, Long warmupSteps, Double finalFraction) {

  public Schedule(
      @Nullable ScheduleKind kind, @Nullable Long warmupSteps, @Nullable Double finalFraction) {
    this.kind = kind == null ? ScheduleKind.COSINE : kind;
    this.warmupSteps = warmupSteps == null ? 0 : warmupSteps;
    this.finalFraction = finalFraction == null ? 0.1 : finalFraction;
    Require.atLeast("warmupSteps", this.warmupSteps, 0);
    Require.within("finalFraction", this.finalFraction, 0, 1);
  }

  /// What `peak` is multiplied by in step `step` of `steps`, counted from 0.
  public double factor(long step, long steps) {
    if (step < warmupSteps) {
      return (step + 1) / (double) warmupSteps;
    }
    double progress = Math.min(1.0, (step - warmupSteps + 1) / (double) (steps - warmupSteps));
    return switch (kind) {
      case CONSTANT -> 1;
      case LINEAR -> 1 - (1 - finalFraction) * progress;
      case COSINE -> finalFraction + (1 - finalFraction) * 0.5 * (1 + Math.cos(Math.PI * progress));
    };
  }
}
