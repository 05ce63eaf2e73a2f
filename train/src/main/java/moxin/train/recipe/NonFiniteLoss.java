package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What follows a loss or a gradient that is not finite.
public enum NonFiniteLoss {
  @JsonProperty("stop")
  STOP,
  @JsonProperty("skip")
  SKIP,
  /// As [SpikeAction#ROLLBACK].
  @JsonProperty("rollback")
  ROLLBACK
}
