package moxin.eval;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import moxin.job.AtomicFile;
import moxin.job.CodeVersion;

/// What came of an evaluation, in the shape of lm-evaluation-harness's result files.
///
/// A task with parts, such as held-out text of several sources, has a further entry `TASK_PART` for
/// each of them.
public record EvaluationResults(EvaluationOptions options, List<TaskResult> tasks) {

  public EvaluationResults {
    tasks = List.copyOf(tasks);
  }

  /// The outcomes of a task's questions.
  ///
  /// @param available how many questions there are without a limit
  public record TaskResult(Task task, int available, List<Outcome> outcomes) {

    public TaskResult {
      outcomes = List.copyOf(outcomes);
    }

    /// The metric over all outcomes.
    public double value(Metric metric) {
      return metric.aggregate(observations(outcomes, metric));
    }

    /// Its standard error, where it has one.
    public OptionalDouble standardError(Metric metric) {
      return metric.standardError(observations(outcomes, metric));
    }

    private Map<String, List<Outcome>> parts() {
      Map<String, List<Outcome>> parts = new TreeMap<>();
      for (Outcome outcome : outcomes) {
        String part = outcome.question().subset();
        if (!part.isEmpty()) {
          parts.computeIfAbsent(part, key -> new java.util.ArrayList<>()).add(outcome);
        }
      }
      return parts;
    }
  }

  /// The result of the task `name`.
  ///
  /// @throws IllegalArgumentException if it was not run
  public TaskResult task(String name) {
    return tasks.stream()
        .filter(result -> result.task().name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no task " + name));
  }

  /// Writes `results.json` and `samples_TASK.jsonl` of every task into `directory`.
  ///
  /// @param model how the model is called in the file, such as its path
  public void write(Path directory, String model) throws IOException {
    AtomicFile.write(
        directory.resolve("results.json"),
        JsonLines.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(toJson(model)) + "\n");
    for (TaskResult result : tasks) {
      StringBuilder lines = new StringBuilder();
      for (Outcome outcome : result.outcomes()) {
        lines.append(JsonLines.JSON.writeValueAsString(sample(outcome))).append('\n');
      }
      AtomicFile.write(
          directory.resolve("samples_" + result.task().name() + ".jsonl"), lines.toString());
    }
  }

  /// The results as lm-evaluation-harness writes them.
  public ObjectNode toJson(String model) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    ObjectNode results = root.putObject("results");
    ObjectNode groups = root.putObject("group_subtasks");
    ObjectNode configs = root.putObject("configs");
    ObjectNode versions = root.putObject("versions");
    ObjectNode shots = root.putObject("n-shot");
    ObjectNode higher = root.putObject("higher_is_better");
    ObjectNode samples = root.putObject("n-samples");
    for (TaskResult result : tasks) {
      Task task = result.task();
      putFigures(results, task.name(), task, result.outcomes());
      result
          .parts()
          .forEach(
              (part, outcomes) -> putFigures(results, task.name() + "_" + part, task, outcomes));
      groups.putArray(task.name());
      configs.set(task.name(), task.config());
      versions.put(task.name(), task.version());
      shots.put(task.name(), options.shots());
      ObjectNode directions = higher.putObject(task.name());
      task.metrics().forEach(metric -> directions.put(metric.key(), metric.higherIsBetter()));
      samples
          .putObject(task.name())
          .put("original", result.available())
          .put("effective", result.outcomes().size());
    }
    ObjectNode config = root.putObject("config");
    config.put("model", "moxin");
    config.put("model_args", model);
    if (options.limit().isPresent()) {
      config.put("limit", options.limit().getAsInt());
    } else {
      config.putNull("limit");
    }
    root.put("git_hash", CodeVersion.current().commit());
    root.put("date", Instant.now().getEpochSecond());
    return root;
  }

  private static void putFigures(
      ObjectNode results, String name, Task task, List<Outcome> outcomes) {
    ObjectNode figures = results.putObject(name);
    figures.put("alias", name);
    for (Metric metric : task.metrics()) {
      List<Observation> observations = observations(outcomes, metric);
      figures.put(metric.key() + ",none", metric.aggregate(observations));
      OptionalDouble error = metric.standardError(observations);
      if (error.isPresent()) {
        figures.put(metric.key() + "_stderr,none", error.getAsDouble());
      } else {
        figures.put(metric.key() + "_stderr,none", "N/A");
      }
    }
  }

  private static JsonNode sample(Outcome outcome) {
    ObjectNode sample = JsonNodeFactory.instance.objectNode();
    sample.put("doc_id", outcome.question().id());
    sample.set("doc", outcome.question().document());
    sample.put("target", outcome.question().target());
    ArrayNode responses = sample.putArray("resps");
    for (Response response : outcome.responses()) {
      ArrayNode pair = responses.addArray();
      switch (response) {
        case Response.Score score -> pair.add(score.logProbability()).add(score.greedy());
        case Response.Text text -> pair.add(text.text());
      }
    }
    outcome.observations().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> sample.put(entry.getKey().key(), entry.getValue().value()));
    return sample;
  }

  private static List<Observation> observations(List<Outcome> outcomes, Metric metric) {
    return outcomes.stream()
        .map(outcome -> outcome.observations().get(metric))
        .filter(java.util.Objects::nonNull)
        .toList();
  }
}
