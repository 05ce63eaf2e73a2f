package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What follows a spike of loss or gradient norm.
public enum SpikeAction {
  /// The update is discarded; the next step learns from the next batch.
  @JsonProperty("skip")
  SKIP,
  /// Weights and optimizer return to the last checkpoint that the recipe asks for, and go on with
  /// the batches after the spike. Before the first checkpoint, the update is discarded.
  @JsonProperty("rollback")
  ROLLBACK,
  /// The run ends.
  @JsonProperty("stop")
  STOP
}
