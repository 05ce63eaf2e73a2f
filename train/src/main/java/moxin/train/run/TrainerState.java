package moxin.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.Optional;
import moxin.train.loader.LoaderState;
import org.jspecify.annotations.Nullable;

/// `trainer_state.json` of a checkpoint: all that goes on besides weights and optimizer. All
/// randomness of the loop is a function of the seed and these numbers.
///
/// @param step steps done of the whole run
/// @param phase the phase's name
/// @param phaseIndex which phase, from 0
/// @param phaseStep steps done of this phase
/// @param seed of the run
/// @param loader of this phase; null before its first step
/// @param tokens positions learned from
/// @param seconds of training
/// @param skippedInRow steps skipped since the last good one
/// @param bestLoss the lowest held-out loss so far
/// @param lastValidation the latest held-out loss
/// @param identity what a resumption must agree with
/// @param regularStep of the newest checkpoint that the recipe asks for; 0 before the first
/// @param rollbacks to that checkpoint so far
/// @param incidents lines of the incident log
/// @param spikes what a spike is told from
/// @param trend of the training loss
/// @param heldOutTrend of the held-out loss
@JsonInclude(JsonInclude.Include.NON_NULL)
record TrainerState(
    long step,
    String phase,
    int phaseIndex,
    long phaseStep,
    long seed,
    @Nullable LoaderState loader,
    long tokens,
    double seconds,
    int skippedInRow,
    @Nullable Double bestLoss,
    @Nullable ValidationPoint lastValidation,
    JsonNode identity,
    long regularStep,
    int rollbacks,
    int incidents,
    @Nullable SpikeWindow spikes,
    @Nullable Trend trend,
    @Nullable Trend heldOutTrend) {

  Optional<LoaderState> loaderState() {
    return Optional.ofNullable(loader);
  }
}
