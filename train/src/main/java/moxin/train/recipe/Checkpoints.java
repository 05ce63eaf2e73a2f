package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// When checkpoints are written, by whom, and which stay. One is always written after the last step
/// of a phase, and stays.
///
/// @param everySteps 500 unless given; 0 for none in between
/// @param atSteps further steps of the run, counted from 1; these are always kept
/// @param keepLast how many of the others are kept, besides phase ends; all unless given
/// @param keepEvery those after steps that are multiples of this one are always kept; none unless
///   given
/// @param writing background unless given
/// @param onFullDisk stop unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Checkpoints(
    Long everySteps,
    List<Long> atSteps,
    @Nullable Integer keepLast,
    @Nullable Long keepEvery,
    CheckpointWriting writing,
    OnFullDisk onFullDisk) {

  public Checkpoints(
      @Nullable Long everySteps,
      @Nullable List<Long> atSteps,
      @Nullable Integer keepLast,
      @Nullable Long keepEvery,
      @Nullable CheckpointWriting writing,
      @Nullable OnFullDisk onFullDisk) {
    this.everySteps = everySteps == null ? 500 : everySteps;
    this.atSteps = atSteps == null ? List.of() : List.copyOf(atSteps);
    this.keepLast = keepLast;
    this.keepEvery = keepEvery;
    this.writing = writing == null ? CheckpointWriting.BACKGROUND : writing;
    this.onFullDisk = onFullDisk == null ? OnFullDisk.STOP : onFullDisk;
    Require.atLeast("everySteps", this.everySteps, 0);
    this.atSteps.forEach(step -> Require.atLeast("atSteps", step, 1));
    Require.atLeast("keepLast", keepLast == null ? 1 : keepLast, 1);
    Require.atLeast("keepEvery", keepEvery == null ? 1 : keepEvery, 1);
  }

  static Checkpoints defaults() {
    return new Checkpoints(null, null, null, null, null, null);
  }

  /// Whether a checkpoint follows step `step` of the run, counted from 1.
  public boolean due(long step) {
    return atSteps.contains(step) || (everySteps > 0 && step % everySteps == 0);
  }

  /// Whether the checkpoint after `step` is kept however many follow it.
  public boolean keeps(long step) {
    return keepLast == null
        || atSteps.contains(step)
        || (keepEvery != null && step % keepEvery == 0);
  }
}
