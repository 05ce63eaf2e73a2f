package moxin.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import moxin.eval.Evaluation;
import moxin.eval.EvaluationOptions;
import moxin.eval.EvaluationResults;
import moxin.eval.HeldOut;
import moxin.eval.JavadocChoice;
import moxin.eval.Metric;
import moxin.eval.Task;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.MemoryCheckpoint;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.train.recipe.TaskEvaluation;
import moxin.train.run.TaskRunner;
import moxin.train.run.TaskScores;

/// The evaluation tasks by their names, asked of a finished model or of one in training.
final class EvaluationTasks {

  private EvaluationTasks() {}

  /// The tasks called `names`, over a corpus as `moxin data prepare` makes it.
  ///
  /// @throws BadInputException if there is no such task, or the corpus lacks its file
  static List<Task> named(List<String> names, Path corpus) {
    List<Task> tasks = new ArrayList<>();
    for (String name : names) {
      tasks.add(named(name, corpus));
    }
    return tasks;
  }

  private static Task named(String name, Path corpus) {
    return switch (name) {
      case "heldout" -> HeldOut.read(corpus.resolve("documents").resolve("validation"));
      case "javadoc_mc" ->
          JavadocChoice.read(corpus.resolve("evaluation").resolve("javadoc.jsonl"));
      default ->
          throw new BadInputException("unknown task " + name + "; expected heldout or javadoc_mc");
    };
  }

  /// Asks what `wanted` says of a model in training, by the CPU engine. Reads the tasks' files at
  /// once, so that what is wrong with them is said before training begins.
  ///
  /// @param corpus where the recipe names none
  static TaskRunner whileTraining(TaskEvaluation wanted, Path tokenizer, Path corpus)
      throws IOException {
    Path data = wanted.data() == null ? corpus : Path.of(wanted.data());
    if (!Files.isDirectory(data)) {
      throw new BadInputException(
          data
              + ": no such folder; training.evaluation.tasks.data names the prepared corpus that the"
              + " tasks ask about");
    }
    List<Task> tasks = named(wanted.names(), data);
    Tokenizer vocabulary = Tokenizers.load(tokenizer);
    EvaluationOptions options =
        new EvaluationOptions(wanted.shots(), OptionalInt.of(wanted.limit()));
    return (config, weights, _) -> {
      try (CpuModel model =
          CpuModel.of(
              config,
              MemoryCheckpoint.of("weights in training", weights),
              EngineOptions.defaults())) {
        return Evaluation.run(tasks, model, vocabulary, options, Progress.silent()).tasks().stream()
            .map(EvaluationTasks::scores)
            .toList();
      }
    };
  }

  private static TaskScores scores(EvaluationResults.TaskResult result) {
    Map<String, TaskScores.Score> scores = new LinkedHashMap<>();
    for (Metric metric : result.task().metrics()) {
      OptionalDouble error = result.standardError(metric);
      scores.put(
          metric.key(),
          new TaskScores.Score(
              result.value(metric),
              error.isPresent() ? error.getAsDouble() : null,
              metric.higherIsBetter()));
    }
    return new TaskScores(result.task().name(), result.outcomes().size(), scores);
  }
}
