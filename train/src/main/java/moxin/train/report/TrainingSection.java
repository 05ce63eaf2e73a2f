package moxin.train.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import moxin.train.run.StepMetrics;
import moxin.train.run.ValidationPoint;

/// The curves of the training: loss, learning rate, gradient norm, throughput; and its phases.
final class TrainingSection {
  private static final int MOST_POINTS = 420;
  private static final int MOST_SMALL_POINTS = 240;
  private static final int MOST_DOTS = 150;
  private static final int LAST_STEPS = 20;
  private static final int MOST_PHASES = 50;
  private static final int MOST_MARKS = 100;
  private static final int MOST_INCIDENTS = 200;

  private TrainingSection() {}

  static void write(Markup page, RunFiles run) {
    if (run.steps().isEmpty()) {
      return;
    }
    List<PhaseSpan> phases = PhaseSpan.of(run.steps());
    page.section("Training");
    loss(page, run, phases);
    page.open("div", "class", "figures");
    learningRate(page, phases);
    gradientNorm(page, run, phases);
    throughput(page, phases);
    memory(page, phases);
    page.close();
    table(page, run, phases);
    skipped(page, run);
    incidents(page, run);
    page.close();
  }

  private static void loss(Markup page, RunFiles run, List<PhaseSpan> phases) {
    Curve curve = Curve.of(phases, StepMetrics::loss, MOST_POINTS);
    List<LinePlot.Dot> dots = dots(run.validation());
    double[] values =
        Stream.concat(
                curve.points().stream().map(Curve.Point::mean),
                dots.stream().map(LinePlot.Dot::value))
            .mapToDouble(Double::doubleValue)
            .sorted()
            .toArray();
    if (values.length == 0) {
      return;
    }
    double lowest = values[0];
    double highest = values[values.length - 1];
    boolean logarithmic = lowest > 0 && highest / lowest > 3;
    Scale scale = logarithmic ? Scale.logarithmic(lowest, highest) : Scale.around(lowest, highest);
    LinePlot plot =
        new LinePlot(
            "loss",
            "Loss over " + run.steps().getLast().step() + " steps",
            phases,
            curve,
            dots,
            run.incidents().stream().limit(MOST_MARKS).toList(),
            Optional.empty(),
            scale,
            Figures::value);
    page.open("figure").open("figcaption").leaf("strong", "Loss");
    page.leaf(
        "span", logarithmic ? "nats per token (log axis)" : "nats per token", "class", "muted");
    page.leaf("span", "training", "class", "key curve");
    if (!dots.isEmpty()) {
      page.leaf("span", "held out", "class", "key heldout");
    }
    if (!run.incidents().isEmpty()) {
      page.leaf("span", "spikes and warnings", "class", "key mark");
    }
    page.close();
    plot.draw(page, LinePlot.Size.WIDE, "wide");
    plot.draw(page, LinePlot.Size.NARROW, "narrow");
    if (curve.isThinned()) {
      page.leaf(
          "p",
          "The line is the mean of neighbouring steps, the band their lowest and highest loss.",
          "class",
          "muted");
    }
    page.close();
  }

  private static List<LinePlot.Dot> dots(List<ValidationPoint> points) {
    return LinePlot.thinned(
        points.stream()
            .map(point -> new LinePlot.Dot(point.step(), point.loss(), "held out"))
            .toList(),
        MOST_DOTS);
  }

  private static void learningRate(Markup page, List<PhaseSpan> phases) {
    Curve curve = Curve.of(phases, StepMetrics::lr, MOST_SMALL_POINTS);
    small(page, "Learning rate", "", phases, curve, Optional.empty(), Figures::value);
  }

  private static void gradientNorm(Markup page, RunFiles run, List<PhaseSpan> phases) {
    Curve curve = Curve.of(phases, StepMetrics::gradNorm, MOST_SMALL_POINTS);
    JsonNode clip = run.recipeTree().at("/training/optimizer/gradientClip");
    Optional<LinePlot.Level> level =
        clip.isNumber() && clip.asDouble() > 0 && clip.asDouble() < 1.5 * curve.highest()
            ? Optional.of(new LinePlot.Level("clipped to " + clip.asText(), clip.asDouble()))
            : Optional.empty();
    small(page, "Gradient norm", "before clipping", phases, curve, level, Figures::value);
  }

  private static void throughput(Markup page, List<PhaseSpan> phases) {
    Curve curve = Curve.of(phases, StepMetrics::tokensPerSecond, MOST_SMALL_POINTS);
    OptionalDouble share =
        phases.stream()
            .flatMap(phase -> phase.steps().stream())
            .flatMap(step -> Optional.ofNullable(step.mfu()).stream())
            .mapToDouble(Double::doubleValue)
            .average();
    String note =
        "tokens per second"
            + (share.isPresent() ? ", " + Figures.percent(share.getAsDouble()) + " of peak" : "");
    small(page, "Throughput", note, phases, curve, Optional.empty(), Figures::compact);
  }

  private static void memory(Markup page, List<PhaseSpan> phases) {
    Curve curve =
        Curve.of(
            phases,
            step -> step.residentBytes() == null ? null : step.residentBytes() / 1e9,
            MOST_SMALL_POINTS);
    small(page, "Memory", "GB of the process", phases, curve, Optional.empty(), Figures::value);
  }

  private static void incidents(Markup page, RunFiles run) {
    if (run.incidents().isEmpty()) {
      return;
    }
    page.open("details").leaf("summary", "Incidents: " + Figures.exact(run.incidents().size()));
    page.table("#step", "kind", "what was found", "action").open("tbody");
    for (Mark mark : run.incidents().stream().limit(MOST_INCIDENTS).toList()) {
      page.open("tr").leaf("td", Figures.exact(mark.step()), "class", "number");
      page.leaf("td", mark.kind()).leaf("td", Figures.shortened(mark.finding(), 200));
      page.leaf("td", mark.action()).close();
    }
    page.close().close().close().close();
  }

  private static void small(
      Markup page,
      String title,
      String note,
      List<PhaseSpan> phases,
      Curve curve,
      Optional<LinePlot.Level> level,
      java.util.function.DoubleFunction<String> shown) {
    if (curve.isEmpty()) {
      return;
    }
    double highest = Math.max(curve.highest(), level.map(LinePlot.Level::value).orElse(0.0));
    boolean wide = curve.lowest() > 0 && curve.highest() / curve.lowest() > 60;
    boolean logarithmic = wide && title.equals("Gradient norm");
    Scale scale =
        logarithmic ? Scale.logarithmic(curve.lowest(), highest) : Scale.fromZero(highest);
    page.open("figure").open("figcaption").leaf("strong", title);
    page.leaf("span", logarithmic ? note + " (log axis)" : note, "class", "muted").close();
    String id = title.substring(0, 3).toLowerCase(java.util.Locale.ROOT);
    new LinePlot(id, title, phases, curve, List.of(), List.of(), level, scale, shown)
        .draw(page, LinePlot.Size.SMALL, "small");
    page.close();
  }

  private static void table(Markup page, RunFiles run, List<PhaseSpan> phases) {
    page.table(
        "#", "phase", "#steps", "#context", "#tokens", "#time", "#loss", "#held out", "#tokens/s");
    page.open("tbody");
    long tokensBefore = 0;
    double secondsBefore = 0;
    for (int i = 0; i < Math.min(phases.size(), MOST_PHASES); i++) {
      PhaseSpan phase = phases.get(i);
      StepMetrics last = phase.steps().getLast();
      long tokens = last.tokens() - tokensBefore;
      double seconds = last.seconds() - secondsBefore;
      tokensBefore = last.tokens();
      secondsBefore = last.seconds();
      page.open("tr").leaf("td", Integer.toString(i + 1), "class", "number");
      page.leaf("td", phase.name());
      number(page, Figures.exact(phase.steps().size()));
      number(page, contextLength(run, phase.name()));
      number(page, Figures.compact(tokens));
      number(page, Figures.duration(seconds));
      number(page, shown(lastLoss(phase)));
      number(page, shown(heldOut(run, phase)));
      number(page, seconds > 0 ? Figures.compact(tokens / seconds) : "–");
      page.close();
    }
    page.close().close().close();
    page.leaf(
        "p",
        "Loss: mean of the phase's last " + LAST_STEPS + " steps. Held out: its last measurement.",
        "class",
        "muted");
  }

  private static void number(Markup page, String text) {
    page.leaf("td", text, "class", "number");
  }

  private static String shown(OptionalDouble value) {
    return value.isPresent() ? Figures.format("%.3f", value.getAsDouble()) : "–";
  }

  private static String contextLength(RunFiles run, String phase) {
    for (JsonNode node : run.recipeTree().at("/training/phases")) {
      if (node.path("name").asText().equals(phase) && node.path("contextLength").isInt()) {
        return Figures.exact(node.path("contextLength").asInt());
      }
    }
    return "–";
  }

  private static OptionalDouble lastLoss(PhaseSpan phase) {
    int size = phase.steps().size();
    return phase.steps().subList(Math.max(0, size - LAST_STEPS), size).stream()
        .flatMap(step -> Optional.ofNullable(step.loss()).stream())
        .mapToDouble(Double::doubleValue)
        .average();
  }

  private static OptionalDouble heldOut(RunFiles run, PhaseSpan phase) {
    return run.validation().stream()
        .filter(point -> point.step() >= phase.first() && point.step() <= phase.last())
        .mapToDouble(ValidationPoint::loss)
        .reduce((earlier, later) -> later);
  }

  private static void skipped(Markup page, RunFiles run) {
    List<Long> steps =
        run.steps().stream().filter(step -> step.skipped() != null).map(StepMetrics::step).toList();
    if (!steps.isEmpty()) {
      String list =
          String.join(", ", steps.stream().limit(10).map(step -> Long.toString(step)).toList());
      page.leaf(
          "p",
          "Updates discarded because loss or gradients were not finite, or spiked: "
              + steps.size()
              + (steps.size() == 1 ? " step (" : " steps (")
              + list
              + (steps.size() > 10 ? ", …)" : ")"),
          "class",
          "warning");
    }
  }
}
