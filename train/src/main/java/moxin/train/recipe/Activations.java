package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonAlias;
import com.fasterxml.jackson.annotation.JsonProperty;

/// What is kept of a forward pass for the backward pass.
public enum Activations {
  /// Everything that it needs.
  @JsonProperty("keep")
  @JsonAlias("none")
  KEEP,
  /// Everything but what the feed-forward layers and norms compute from it, which is more than half
  /// of a block and computed again.
  @JsonProperty("selective")
  SELECTIVE,
  /// Each block's input; the block is computed again.
  @JsonProperty("recompute")
  @JsonAlias("full")
  RECOMPUTE
}
