package moxin.train.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import moxin.train.loader.LoaderState;
import org.jspecify.annotations.Nullable;

/// Where a run stands: what a checkpoint holds besides weights and optimizer state, while it
/// changes.
final class Position {
  long step;
  long tokens;
  double seconds;
  int skippedInRow;
  @Nullable LoaderState loader;
  @Nullable Double bestLoss;
  @Nullable ValidationPoint lastValidation;

  /// The newest checkpoint, of whatever cause.
  @Nullable Path checkpoint;

  /// The step of the newest checkpoint that the recipe asks for; 0 before the first.
  long regularStep;

  /// How often the run returned to that checkpoint.
  int rollbacks;

  /// Lines of the incident log.
  int incidents;

  /// Takes over what `state` says, found in `path`.
  void restore(TrainerState state, Path path) {
    step = state.step();
    tokens = state.tokens();
    seconds = state.seconds();
    skippedInRow = state.skippedInRow();
    loader = state.loader();
    bestLoss = state.bestLoss();
    lastValidation = state.lastValidation();
    checkpoint = path;
    regularStep = state.regularStep();
    rollbacks = state.rollbacks();
    incidents = state.incidents();
  }

  /// Goes back to `state` as after a spike: time, incidents and the batches read stay.
  void returnTo(TrainerState state, Path path) {
    LoaderState ahead = loader;
    double spent = seconds;
    int met = incidents;
    int returned = rollbacks;
    restore(state, path);
    loader = ahead;
    seconds = spent;
    incidents = met;
    rollbacks = returned + 1;
  }

  /// How many rows of the phase were read.
  long rowsRead() {
    LoaderState state = loader;
    return state == null
        ? 0
        : state.sources().stream().mapToLong(LoaderState.SourceState::rows).sum();
  }

  /// What a checkpoint of now says.
  TrainerState state(
      Plan.Planned phase, long seed, JsonNode identity, StepJudge judge, DivergenceWatch trends) {
    return new TrainerState(
        step,
        phase.phase().name(),
        phase.index(),
        step - phase.firstStep(),
        seed,
        loader,
        tokens,
        seconds,
        skippedInRow,
        bestLoss,
        lastValidation,
        identity,
        regularStep,
        rollbacks,
        incidents,
        judge.window().orElse(null),
        trends.training(),
        trends.heldOut());
  }
}
