package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// Where the first weights come from: a checkpoint, or else random numbers.
///
/// @param seed of random weights; the recipe's seed unless given
/// @param checkpoint a model directory in Hugging Face layout
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Initialisation(@Nullable Long seed, @Nullable String checkpoint) {

  public Initialisation {
    if (seed != null && checkpoint != null) {
      throw new IllegalArgumentException("initialisation takes a seed or a checkpoint, found both");
    }
  }

  /// Random weights from the recipe's seed.
  static Initialisation random() {
    return new Initialisation(null, null);
  }
}
