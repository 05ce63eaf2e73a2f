package moxin.train.recipe;

import org.jspecify.annotations.Nullable;

/// What a spike is and what follows it. Loss and gradient norm are each compared with the last good
/// steps of the same phase, once there are enough of them.
///
/// @param action skip unless given
/// @param window how many steps are compared with; 128 unless given
/// @param measure zscore unless given
/// @param threshold what is above it is a spike; 6 for zscore and 3 for ratio unless given
/// @param maxRollbacks how often a run may return to one checkpoint before it stops; 3 unless given
public record OnSpike(
    SpikeAction action,
    Integer window,
    SpikeMeasure measure,
    Double threshold,
    Integer maxRollbacks) {

  public OnSpike(
      @Nullable SpikeAction action,
      @Nullable Integer window,
      @Nullable SpikeMeasure measure,
      @Nullable Double threshold,
      @Nullable Integer maxRollbacks) {
    this.action = action == null ? SpikeAction.SKIP : action;
    this.window = window == null ? 128 : window;
    this.measure = measure == null ? SpikeMeasure.Z_SCORE : measure;
    double usual = this.measure == SpikeMeasure.Z_SCORE ? 6 : 3;
    this.threshold = threshold == null ? usual : threshold;
    this.maxRollbacks = maxRollbacks == null ? 3 : maxRollbacks;
    Require.atLeast("window", this.window, 2);
    Require.positive("threshold", this.threshold);
    Require.atLeast("maxRollbacks", this.maxRollbacks, 1);
  }
}
