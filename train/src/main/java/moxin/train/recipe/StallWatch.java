package moxin.train.recipe;

import org.jspecify.annotations.Nullable;

/// When a run counts as stalled: without any progress for `seconds` and for `factor` times the
/// median step.
///
/// @param seconds at least; 60 unless given, 0 to watch for nothing
/// @param factor 10 unless given
/// @param action dump unless given
public record StallWatch(Double seconds, Double factor, StallAction action) {

  public StallWatch(
      @Nullable Double seconds, @Nullable Double factor, @Nullable StallAction action) {
    this.seconds = seconds == null ? 60 : seconds;
    this.factor = factor == null ? 10 : factor;
    this.action = action == null ? StallAction.DUMP : action;
    Require.within("seconds", this.seconds, 0, 1e6);
    Require.within("factor", this.factor, 1, 1e6);
  }
}
