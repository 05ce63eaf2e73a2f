package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What follows when a source has given all that it may.
public enum Exhausted {
  /// It is read again, in another order.
  @JsonProperty("repeat")
  REPEAT,
  /// The phase goes on with the others, by their weights.
  @JsonProperty("drop")
  DROP,
  /// The phase ends after the last whole step.
  @JsonProperty("stop")
  STOP
}
