package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How the first weights are made.
public enum InitialisationKind {
  /// Random numbers.
  @JsonProperty("random")
  RANDOM,
  /// A checkpoint of the same shape.
  @JsonProperty("checkpoint")
  CHECKPOINT,
  /// A shallower checkpoint, some of whose layers stand twice (Kim et al. 2023, "SOLAR 10.7B",
  /// depth up-scaling).
  @JsonProperty("duplicate-layers")
  DUPLICATE_LAYERS,
  /// A shallower checkpoint with new blocks between its own that are copies but for their output
  /// projections, which are zero: the model computes at first exactly what the shallower one does
  /// (Wu et al. 2024, "LLaMA Pro").
  @JsonProperty("identity-blocks")
  IDENTITY_BLOCKS;

  /// Whether the model has more layers than the checkpoint.
  public boolean deepens() {
    return this == DUPLICATE_LAYERS || this == IDENTITY_BLOCKS;
  }
}
