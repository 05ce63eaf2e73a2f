package moxin.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import moxin.job.AtomicFile;
import moxin.job.BadInputException;
import moxin.train.recipe.Leaves;
import moxin.train.run.StepMetrics;
import moxin.train.run.ValidationPoint;
import org.jspecify.annotations.Nullable;

/// Compares runs in one self-contained HTML file: their curves over each other, what differs in
/// their recipes, and what they came to.
public final class RunComparison {
  private static final int MOST_RUNS = 8;
  private static final int MOST_POINTS = 300;
  private static final int MOST_TASKS = 24;
  private static final int LAST_STEPS = 20;
  private static final int MOST_DIFFERENCES = 200;

  private final List<RunFiles> runs;
  private final List<String> names;

  private RunComparison(List<RunFiles> runs) {
    this.runs = runs;
    this.names = names(runs);
  }

  /// Writes the comparison of `directories` to `file`.
  ///
  /// @param directories of 2 to 8 runs, in the order in which they are shown
  /// @return the file written
  /// @throws BadInputException if one is no run with a step in it, or there are too many
  public static Path write(List<Path> directories, Path file) throws IOException {
    if (directories.size() > MOST_RUNS) {
      throw new BadInputException(
          "at most " + MOST_RUNS + " runs are compared, found " + directories.size());
    }
    List<RunFiles> runs = new ArrayList<>();
    for (Path directory : directories) {
      RunFiles run = RunFiles.read(directory);
      if (run.steps().isEmpty()) {
        throw new BadInputException(directory + ": there is no metrics.jsonl with a step in it");
      }
      runs.add(run);
    }
    AtomicFile.write(file, new RunComparison(List.copyOf(runs)).page());
    return file;
  }

  /// The class of the elements of run `run`.
  static String styleOf(int run) {
    return "run run" + run;
  }

  /// The first of these that tell the runs apart: recipes' names, directories' names, paths.
  private static List<String> names(List<RunFiles> runs) {
    List<String> names = runs.stream().map(RunFiles::name).toList();
    if (new TreeSet<>(names).size() < names.size()) {
      names =
          runs.stream()
              .map(run -> String.valueOf(run.root().toAbsolutePath().normalize().getFileName()))
              .toList();
    }
    return new TreeSet<>(names).size() == names.size()
        ? names
        : runs.stream().map(run -> run.root().normalize().toString()).toList();
  }

  private String page() throws IOException {
    Markup page = new Markup();
    RunReport.begin(page, String.join(", ", names) + " · Moxin runs");
    page.open("header").leaf("p", "Moxin runs", "class", "kicker");
    page.leaf("h1", String.join(" · ", names)).close();
    figures(page);
    curves(page);
    differences(page);
    RunReport.end(page, "Made by Moxin %s from the files of the run directories.");
    return page.toString();
  }

  private void figures(Markup page) {
    page.section("What they came to");
    page.table(
            "run",
            "#parameters",
            "#steps",
            "#tokens",
            "#time",
            "#loss",
            "#held out",
            "#best held out",
            "#tokens/s",
            "#incidents")
        .open("tbody");
    for (int i = 0; i < runs.size(); i++) {
      RunFiles run = runs.get(i);
      StepMetrics last = run.steps().getLast();
      page.open("tr").open("td");
      page.leaf("span", names.get(i), "class", "key " + styleOf(i)).close();
      number(page, run.model().map(m -> Figures.compact(m.parameterCount())).orElse("–"));
      number(page, Figures.exact(last.step()));
      number(page, Figures.compact(last.tokens()));
      number(page, Figures.duration(last.seconds()));
      number(page, lastLoss(run));
      number(page, run.validation().isEmpty() ? "–" : loss(run.validation().getLast().loss()));
      number(
          page,
          run.validation().stream()
              .map(ValidationPoint::loss)
              .min(Double::compare)
              .map(RunComparison::loss)
              .orElse("–"));
      number(page, last.seconds() > 0 ? Figures.compact(last.tokens() / last.seconds()) : "–");
      number(page, Figures.exact(run.incidents().size()));
      page.close();
    }
    page.close().close().close();
    page.leaf("p", "Loss: mean of the last " + LAST_STEPS + " steps.", "class", "muted").close();
  }

  private void curves(Markup page) {
    page.section("Curves");
    wide(page, "Loss", "nats per token", over(StepMetrics::tokens, StepMetrics::loss));
    List<RunCurve> heldOut = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      NavigableMap<Long, Double> tokens = tokensByStep(runs.get(i));
      heldOut.add(
          RunCurve.of(
              i,
              runs.get(i).validation(),
              point -> tokensAt(tokens, point.step()),
              ValidationPoint::loss,
              MOST_POINTS));
    }
    wide(page, "Held-out loss", "nats per token", heldOut);
    page.open("div", "class", "figures");
    small(page, "Learning rate", over(StepMetrics::step, StepMetrics::lr));
    small(page, "Gradient norm", over(StepMetrics::step, StepMetrics::gradNorm));
    small(page, "Tokens per second", over(StepMetrics::step, StepMetrics::tokensPerSecond));
    small(
        page,
        "Memory in GB",
        over(
            StepMetrics::step,
            step -> step.residentBytes() == null ? null : step.residentBytes() / 1e9));
    tasks(page);
    page.close().close();
  }

  private void tasks(Markup page) {
    List<List<TasksSection.Series>> all =
        runs.stream().map(run -> TasksSection.series(run.tasks())).toList();
    SortedSet<String> names = new TreeSet<>();
    all.forEach(series -> series.forEach(one -> names.add(one.name())));
    for (String name : names.stream().limit(MOST_TASKS).toList()) {
      List<RunCurve> curves = new ArrayList<>();
      for (int i = 0; i < runs.size(); i++) {
        List<LinePlot.Dot> dots =
            all.get(i).stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .map(TasksSection.Series::dots)
                .orElse(List.of());
        curves.add(RunCurve.of(i, dots, LinePlot.Dot::step, LinePlot.Dot::value, MOST_POINTS));
      }
      small(page, name, curves);
    }
  }

  private List<RunCurve> over(
      ToDoubleFunction<StepMetrics> x, Function<StepMetrics, @Nullable Double> y) {
    List<RunCurve> curves = new ArrayList<>();
    for (int i = 0; i < runs.size(); i++) {
      curves.add(RunCurve.of(i, runs.get(i).steps(), x, y, MOST_POINTS));
    }
    return curves;
  }

  private static NavigableMap<Long, Double> tokensByStep(RunFiles run) {
    NavigableMap<Long, Double> tokens = new TreeMap<>();
    run.steps().forEach(step -> tokens.put(step.step(), (double) step.tokens()));
    return tokens;
  }

  private static double tokensAt(NavigableMap<Long, Double> tokens, long step) {
    Map.Entry<Long, Double> last = tokens.floorEntry(step);
    return last == null ? 0 : last.getValue();
  }

  private void wide(Markup page, String title, String unit, List<RunCurve> curves) {
    OverlayPlot plot = new OverlayPlot(title + " over tokens", "tokens", curves);
    if (plot.isEmpty()) {
      return;
    }
    page.open("figure").open("figcaption").leaf("strong", title);
    page.leaf("span", unit, "class", "muted");
    for (int i = 0; i < names.size(); i++) {
      page.leaf("span", names.get(i), "class", "key " + styleOf(i));
    }
    page.close();
    plot.draw(page, LinePlot.Size.WIDE, "wide");
    plot.draw(page, LinePlot.Size.NARROW, "narrow");
    page.close();
  }

  private static void small(Markup page, String title, List<RunCurve> curves) {
    OverlayPlot plot = new OverlayPlot(title + " over steps", "step", curves);
    if (!plot.isEmpty()) {
      page.open("figure").open("figcaption").leaf("strong", title).close();
      plot.draw(page, LinePlot.Size.SMALL, "small");
      page.close();
    }
  }

  private void differences(Markup page) {
    List<Map<String, String>> recipes =
        runs.stream().map(run -> Leaves.of(run.recipeTree())).toList();
    SortedSet<String> keys = new TreeSet<>();
    recipes.forEach(recipe -> keys.addAll(recipe.keySet()));
    keys.removeIf(
        key -> recipes.stream().map(r -> r.getOrDefault(key, "–")).distinct().count() < 2);
    page.section("What differs in their recipes");
    if (keys.isEmpty()) {
      page.leaf("p", "Nothing.").close();
      return;
    }
    List<String> headings = new ArrayList<>(List.of("key"));
    headings.addAll(names.stream().map(name -> name.replaceFirst("^#", "")).toList());
    page.table(headings.toArray(String[]::new)).open("tbody");
    for (String key : keys.stream().limit(MOST_DIFFERENCES).toList()) {
      page.open("tr").leaf("td", key);
      for (Map<String, String> recipe : recipes) {
        page.leaf("td", Figures.shortened(recipe.getOrDefault(key, "–"), 80));
      }
      page.close();
    }
    page.close().close().close().close();
  }

  private static String lastLoss(RunFiles run) {
    int size = run.steps().size();
    return run.steps().subList(Math.max(0, size - LAST_STEPS), size).stream()
        .map(StepMetrics::loss)
        .filter(java.util.Objects::nonNull)
        .mapToDouble(Double::doubleValue)
        .average()
        .stream()
        .mapToObj(RunComparison::loss)
        .findFirst()
        .orElse("–");
  }

  private static String loss(double value) {
    return Figures.format("%.4f", value);
  }

  private static void number(Markup page, String text) {
    page.leaf("td", text, "class", "number");
  }
}
