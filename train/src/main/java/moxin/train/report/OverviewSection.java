package moxin.train.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.job.Manifest;
import moxin.model.ModelConfig;
import moxin.train.run.StepMetrics;
import moxin.train.run.ValidationPoint;

/// The head of the report: what was trained, how long, on what, and how well.
final class OverviewSection {
  private OverviewSection() {}

  static void write(Markup page, RunFiles run) {
    page.open("header");
    page.leaf("p", "Moxin run", "class", "kicker");
    page.leaf("h1", run.name());
    run.model().ifPresent(model -> page.leaf("p", shape(model), "class", "muted"));
    page.open("dl", "class", "tiles");
    run.model()
        .ifPresent(
            model ->
                tile(
                    page,
                    "parameters",
                    Figures.compact(model.parameterCount()),
                    Figures.exact(model.parameterCount())));
    if (!run.steps().isEmpty()) {
      StepMetrics last = run.steps().getLast();
      tile(page, "tokens", Figures.compact(last.tokens()), Figures.exact(last.tokens()));
      tile(
          page,
          "training time",
          Figures.duration(last.seconds()),
          Figures.exact(last.step()) + " steps");
      tile(
          page,
          "tokens per second",
          last.seconds() > 0 ? Figures.compact(last.tokens() / last.seconds()) : "–",
          "mean over the run");
    }
    if (!run.validation().isEmpty()) {
      ValidationPoint last = run.validation().getLast();
      String bits =
          last.bitsPerByte() == null
              ? "nats per token"
              : Figures.format("%.3f bits per byte", last.bitsPerByte());
      tile(page, "held-out loss", Figures.format("%.3f", last.loss()), bits);
    }
    page.close();
    List<String> facts = facts(run);
    if (!facts.isEmpty()) {
      page.leaf("p", String.join(" · ", facts), "class", "muted");
    }
    page.close();
  }

  private static void tile(Markup page, String name, String value, String note) {
    page.open("div").leaf("dt", name).leaf("dd", value);
    page.leaf("dd", note, "class", "note").close();
  }

  private static String shape(ModelConfig model) {
    List<String> parts = new ArrayList<>();
    parts.add(model.numHiddenLayers() + (model.numHiddenLayers() == 1 ? " layer" : " layers"));
    parts.add("width " + model.hiddenSize());
    parts.add(
        model.numAttentionHeads()
            + " heads over "
            + model.numKeyValueHeads()
            + (model.numKeyValueHeads() == 1 ? " key-value head" : " key-value heads"));
    parts.add("vocabulary " + Figures.exact(model.vocabSize()));
    parts.add("context " + Figures.exact(model.maxPositionEmbeddings()));
    model.slidingWindow().ifPresent(window -> parts.add("sliding window " + Figures.exact(window)));
    return String.join(" · ", parts);
  }

  private static List<String> facts(RunFiles run) {
    List<String> facts = new ArrayList<>();
    if (!run.steps().isEmpty() && run.steps().getLast().time() > 0) {
      facts.add("last step " + Figures.minute(run.steps().getLast().time()));
    }
    Optional<Manifest> manifest = run.manifest();
    if (manifest.isPresent()) {
      Map<String, String> machine = manifest.get().environment();
      facts.add(
          machine.getOrDefault("processors", "?")
              + " processors, "
              + machine.getOrDefault("os", "unknown system")
              + " "
              + machine.getOrDefault("architecture", ""));
      facts.add("Java " + machine.getOrDefault("java", "unknown"));
      facts.add("Moxin " + ProvenanceSection.shown(manifest.get().code()));
    }
    return facts;
  }
}
