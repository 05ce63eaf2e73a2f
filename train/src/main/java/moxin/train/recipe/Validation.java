package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Evaluation while training, and after every phase: the loss on held-out shards, always on the
/// same rows in the order of the shards, and tasks.
///
/// @param everySteps 250 unless given; 0 for phase ends alone
/// @param sources what to read, as in a phase; may be absent where there are tasks
/// @param batches how many batches at most; everything unless given
/// @param contextLength the phase's unless given
/// @param batchSize the phase's unless given
/// @param tasks what else is asked; nothing unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Validation(
    Long everySteps,
    List<Source> sources,
    @Nullable Long batches,
    @Nullable Integer contextLength,
    @Nullable Integer batchSize,
    @Nullable TaskEvaluation tasks) {

  public Validation(
      @Nullable Long everySteps,
      @Nullable List<Source> sources,
      @Nullable Long batches,
      @Nullable Integer contextLength,
      @Nullable Integer batchSize,
      @Nullable TaskEvaluation tasks) {
    this.everySteps = everySteps == null ? 250 : everySteps;
    this.sources = sources == null ? List.of() : List.copyOf(sources);
    this.batches = batches;
    this.contextLength = contextLength;
    this.batchSize = batchSize;
    this.tasks = tasks;
    Require.atLeast("everySteps", this.everySteps, 0);
    if (this.sources.isEmpty() && tasks == null) {
      throw new IllegalArgumentException("evaluation needs sources or tasks");
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

  /// After how many steps the tasks are asked; 0 for phase ends alone.
  public long taskSteps() {
    Long own = tasks == null ? null : tasks.everySteps();
    return own == null ? everySteps : own;
  }

  Validation with(List<Source> found, @Nullable TaskEvaluation others) {
    return new Validation(everySteps, found, batches, contextLength, batchSize, others);
  }
}
