package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What is kept of a forward pass for the backward pass.
public enum Activations {
  /// Everything that it needs.
  @JsonProperty("keep")
  KEEP,
  /// Each block's input; the block is computed again.
  @JsonProperty("recompute")
  RECOMPUTE
}
