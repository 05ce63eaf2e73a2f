package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// Where the first weights come from.
///
/// @param kind checkpoint where one is given, else random, unless given
/// @param seed of random weights; the recipe's seed unless given
/// @param checkpoint a model directory in Hugging Face layout
/// @param layers with duplicate-layers and identity-blocks, which layer of the checkpoint, counted
///   from 0, each layer of the model comes from, as `0-17,14-31`. With identity-blocks the first
///   mention of a layer is the layer itself, and every further one a new block. Unless given,
///   duplicate-layers takes the first and the last half of the model's layers from the two ends of
///   the checkpoint, so that those in the middle stand twice, and identity-blocks spreads the new
///   blocks evenly.
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Initialisation(
    InitialisationKind kind,
    @Nullable Long seed,
    @Nullable String checkpoint,
    @Nullable String layers) {

  public Initialisation(
      @Nullable InitialisationKind kind,
      @Nullable Long seed,
      @Nullable String checkpoint,
      @Nullable String layers) {
    InitialisationKind usual =
        checkpoint == null ? InitialisationKind.RANDOM : InitialisationKind.CHECKPOINT;
    this.kind = kind == null ? usual : kind;
    this.seed = seed;
    this.checkpoint = checkpoint;
    this.layers = layers;
    if (seed != null && checkpoint != null) {
      throw new IllegalArgumentException("initialisation takes a seed or a checkpoint, found both");
    }
    if ((this.kind == InitialisationKind.RANDOM) != (checkpoint == null)) {
      throw new IllegalArgumentException(
          checkpoint == null
              ? "initialisation needs a checkpoint, unless its kind is random"
              : "initialisation of kind random takes no checkpoint");
    }
    if (layers != null && !this.kind.deepens()) {
      throw new IllegalArgumentException(
          "layers belongs to kind: duplicate-layers and kind: identity-blocks");
    }
  }

  /// Random weights from the recipe's seed.
  static Initialisation random() {
    return new Initialisation(null, null, null, null);
  }

  Initialisation withCheckpoint(String other) {
    return new Initialisation(kind, seed, other, layers);
  }

  /// The same with the layers spelt out.
  public Initialisation withLayers(String other) {
    return new Initialisation(kind, seed, checkpoint, other);
  }
}
