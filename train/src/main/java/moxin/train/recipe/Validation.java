package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Evaluation on held-out shards while training, and after every phase. Always the same rows, in
/// the order of the shards.
///
/// @param everySteps 250 unless given; 0 for phase ends alone
/// @param sources what to read, as in a phase
/// @param batches how many batches at most; everything unless given
/// @param contextLength the phase's unless given
/// @param batchSize the phase's unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Validation(
    Long everySteps,
    List<Source> sources,
    @Nullable Long batches,
    @Nullable Integer contextLength,
    @Nullable Integer batchSize) {

  public Validation(
      @Nullable Long everySteps,
      @Nullable List<Source> sources,
      @Nullable Long batches,
      @Nullable Integer contextLength,
      @Nullable Integer batchSize) {
    this.everySteps = everySteps == null ? 250 : everySteps;
    this.sources = sources == null ? List.of() : List.copyOf(sources);
    this.batches = batches;
    this.contextLength = contextLength;
    this.batchSize = batchSize;
    Require.atLeast("everySteps", this.everySteps, 0);
    if (this.sources.isEmpty()) {
      throw new IllegalArgumentException("evaluation needs sources");
    }
    if (batches != null) {
      Require.atLeast("batches", batches, 1);
    }
    if (contextLength != null) {
      Require.atLeast("contextLength", contextLength, 1);
    }
    if (batchSize != null) {
      Require.atLeast("batchSize", batchSize, 1);
    }
  }
}
