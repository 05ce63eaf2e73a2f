package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How the learning rate goes on after the warm-up.
public enum ScheduleKind {
  @JsonProperty("cosine")
  COSINE,
  @JsonProperty("linear")
  LINEAR,
  @JsonProperty("constant")
  CONSTANT
}
