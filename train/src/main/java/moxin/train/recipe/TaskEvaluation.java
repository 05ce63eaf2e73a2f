package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Evaluation tasks asked of the model in training, and after every phase. Always the same
/// questions.
///
/// @param names of the tasks, as `moxin eval` knows them
/// @param data a corpus as `moxin data prepare` makes it; the run's own unless given
/// @param everySteps as often as the held-out loss is measured unless given; 0 for phase ends alone
/// @param limit the most questions of each task; 100 unless given
/// @param shots solved examples before each question; none unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TaskEvaluation(
    List<String> names,
    @Nullable String data,
    @Nullable Long everySteps,
    Integer limit,
    Integer shots) {

  public TaskEvaluation(
      @Nullable List<String> names,
      @Nullable String data,
      @Nullable Long everySteps,
      @Nullable Integer limit,
      @Nullable Integer shots) {
    this.names = names == null ? List.of() : List.copyOf(names);
    this.data = data;
    this.everySteps = everySteps;
    this.limit = limit == null ? 100 : limit;
    this.shots = shots == null ? 0 : shots;
    if (this.names.isEmpty() || new HashSet<>(this.names).size() < this.names.size()) {
      throw new IllegalArgumentException("tasks needs names, each once");
    }
    Require.atLeast("everySteps", everySteps == null ? 0 : everySteps, 0);
    Require.atLeast("limit", this.limit, 1);
    Require.atLeast("shots", this.shots, 0);
  }

  TaskEvaluation withData(String path) {
    return new TaskEvaluation(names, path, everySteps, limit, shots);
  }
}
