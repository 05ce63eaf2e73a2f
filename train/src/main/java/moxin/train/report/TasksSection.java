package moxin.train.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.train.run.TaskPoint;

/// What tasks came to as the model grew, one small chart for each metric.
final class TasksSection {
  private static final int MOST_CHARTS = 24;
  private static final int MOST_DOTS = 150;

  private TasksSection() {}

  /// A metric of a task over the steps.
  record Series(String name, boolean higherIsBetter, List<LinePlot.Dot> dots) {}

  static void write(Markup page, RunFiles run) {
    List<Series> all = series(run.tasks());
    if (all.isEmpty() || run.steps().isEmpty()) {
      return;
    }
    List<PhaseSpan> phases = PhaseSpan.of(run.steps());
    page.section("Evaluation over time").open("div", "class", "figures");
    for (int i = 0; i < Math.min(all.size(), MOST_CHARTS); i++) {
      chart(page, phases, i, all.get(i));
    }
    page.close();
    page.leaf(
        "p",
        all.size() <= MOST_CHARTS
            ? "↑ more is better, ↓ less is better."
            : "The first " + MOST_CHARTS + " of " + all.size() + "; all are in evaluation.jsonl.",
        "class",
        "muted");
    page.close();
  }

  /// The metrics of all tasks, in the order in which they come first.
  static List<Series> series(List<TaskPoint> points) {
    Map<String, Series> byName = new LinkedHashMap<>();
    for (TaskPoint point : points) {
      point
          .metrics()
          .forEach(
              (metric, score) -> {
                String name = point.task() + " " + metric;
                byName
                    .computeIfAbsent(
                        name, _ -> new Series(name, score.higherIsBetter(), new ArrayList<>()))
                    .dots()
                    .add(new LinePlot.Dot(point.step(), score.value(), name));
              });
    }
    return List.copyOf(byName.values());
  }

  private static void chart(Markup page, List<PhaseSpan> phases, int number, Series series) {
    List<LinePlot.Dot> dots = LinePlot.thinned(series.dots(), MOST_DOTS);
    double lowest = dots.stream().mapToDouble(LinePlot.Dot::value).min().orElseThrow();
    double highest = dots.stream().mapToDouble(LinePlot.Dot::value).max().orElseThrow();
    page.open("figure").open("figcaption").leaf("strong", series.name());
    page.leaf("span", series.higherIsBetter() ? "↑" : "↓", "class", "muted").close();
    new LinePlot(
            "task" + number,
            series.name(),
            phases,
            new Curve(List.of()),
            dots,
            List.of(),
            Optional.empty(),
            Scale.around(lowest, highest),
            Figures::value)
        .draw(page, LinePlot.Size.SMALL, "small");
    page.close();
  }
}
