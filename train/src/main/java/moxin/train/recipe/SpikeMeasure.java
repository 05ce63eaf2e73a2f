package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How far a value is above those of the steps before.
public enum SpikeMeasure {
  /// In standard deviations above their mean; a deviation counts as at least a thousandth of the
  /// mean.
  @JsonProperty("zscore")
  Z_SCORE,
  /// As a multiple of their mean.
  @JsonProperty("ratio")
  RATIO
}
