package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What a phase learns from.
public enum PhaseKind {
  /// Next-token prediction over token shards.
  @JsonProperty("pretrain")
  PRETRAIN
}
