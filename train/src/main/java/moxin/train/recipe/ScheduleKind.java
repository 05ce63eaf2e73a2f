package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonProperty;

/// How the learning rate goes on after the warm-up.
public enum ScheduleKind {
  @JsonProperty("cosine")
  COSINE,
  @JsonProperty("linear")
  LINEAR,
  /// At the peak, and down at the end only.
  @JsonProperty("warmup-stable-decay")
  @JsonAlias("wsd")
  WARMUP_STABLE_DECAY,
  @JsonProperty("constant")
  CONSTANT
}
