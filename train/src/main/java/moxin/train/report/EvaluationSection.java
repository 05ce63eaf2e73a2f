package moxin.train.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/// The evaluation's results by task and metric.
final class EvaluationSection {
  private static final int MOST_ROWS = 300;
  private static final String NO_FILTER = ",none";

  private EvaluationSection() {}

  static void write(Markup page, RunFiles run) {
    JsonNode results = run.results().path("results");
    if (results.isEmpty()) {
      return;
    }
    page.section("Evaluation");
    page.table("task", "metric", "#value", "#± stderr", "#n", "#shots").open("tbody");
    int rows = 0;
    for (Map.Entry<String, JsonNode> task : results.properties()) {
      String shownTask = task.getKey();
      for (Map.Entry<String, JsonNode> figure : task.getValue().properties()) {
        if (isMetric(figure) && rows++ < MOST_ROWS) {
          row(page, run.results(), task, figure, shownTask);
          shownTask = "";
        }
      }
    }
    page.close().close().close();
    page.leaf("p", "↑ more is better, ↓ less is better.", "class", "muted").close();
  }

  private static void row(
      Markup page,
      JsonNode file,
      Map.Entry<String, JsonNode> task,
      Map.Entry<String, JsonNode> figure,
      String shownTask) {
    String metric = figure.getKey().split(",", 2)[0];
    String filter = figure.getKey().substring(metric.length());
    JsonNode error = task.getValue().path(metric + "_stderr" + filter);
    String whole = whole(file, task.getKey());
    JsonNode higher = file.path("higher_is_better").path(whole).path(metric);
    String direction = higher.isBoolean() ? (higher.asBoolean() ? " ↑" : " ↓") : "";
    page.open("tr").leaf("td", shownTask);
    page.leaf("td", metric + (filter.equals(NO_FILTER) ? "" : filter) + direction);
    number(page, Figures.value(figure.getValue().asDouble()));
    number(page, error.isNumber() ? Figures.format("%.4f", error.asDouble()) : "");
    number(page, count(file.path("n-samples").path(task.getKey()).path("effective")));
    number(page, count(file.path("n-shot").path(whole)));
    page.close();
  }

  /// The task of which `name` is a part, such as `heldout` of `heldout_code`.
  private static String whole(JsonNode file, String name) {
    JsonNode tasks = file.path("higher_is_better");
    return tasks.has(name)
        ? name
        : tasks.properties().stream()
            .map(Map.Entry::getKey)
            .filter(task -> name.startsWith(task + "_"))
            .findFirst()
            .orElse(name);
  }

  private static boolean isMetric(Map.Entry<String, JsonNode> figure) {
    return figure.getValue().isNumber() && !figure.getKey().split(",", 2)[0].endsWith("_stderr");
  }

  private static void number(Markup page, String text) {
    page.leaf("td", text, "class", "number");
  }

  private static String count(JsonNode node) {
    return node.isIntegralNumber() ? Figures.exact(node.asLong()) : "";
  }
}
