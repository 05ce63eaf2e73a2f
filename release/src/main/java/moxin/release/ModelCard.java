package moxin.release;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import moxin.model.ModelConfig;

/// The model card: `README.md` in the form of the Hugging Face hub.
final class ModelCard {
  private final ReleaseFacts facts;
  private final StringBuilder text = new StringBuilder();

  private ModelCard(ReleaseFacts facts) {
    this.facts = facts;
  }

  static String of(ReleaseFacts facts) {
    ModelCard card = new ModelCard(facts);
    card.header();
    card.model();
    card.data();
    card.evaluation();
    card.use();
    card.contents();
    return card.text.toString();
  }

  private void header() {
    line("---");
    line("license: " + facts.recipe().weights().toLowerCase(Locale.ROOT));
    line("library_name: transformers");
    line("pipeline_tag: text-generation");
    line("tags:");
    line("- moxin");
    line("- " + facts.config().modelType());
    line("---");
    line("");
    line("# " + facts.name());
    line("");
    line(
        facts
            .initial()
            .map(
                checkpoint ->
                    "A language model that Moxin for Java trained on from a checkpoint with sha256 `"
                        + checkpoint.sha256()
                        + "`.")
            .orElse("A language model that Moxin for Java trained from random weights."));
  }

  private void model() {
    ModelConfig config = facts.config();
    section("Model");
    line("| | |");
    line("|---|---|");
    row("parameters", String.format(Locale.ROOT, "%,d", config.parameterCount()));
    row("architecture", config.modelType() + " decoder (GQA, RoPE, SwiGLU, RMSNorm)");
    row("layers", config.numHiddenLayers());
    row("width", config.hiddenSize() + ", feed-forward " + config.intermediateSize());
    row(
        "heads",
        config.numAttentionHeads()
            + " of "
            + config.headDim()
            + ", key-value heads "
            + config.numKeyValueHeads());
    OptionalInt window = config.slidingWindow();
    row("sliding window", window.isPresent() ? window.getAsInt() : "none");
    row("context", config.maxPositionEmbeddings());
    row("vocabulary", config.vocabSize());
    if (!facts.state().isNull()) {
      row("steps", facts.state().path("step").asText());
      row("tokens learned from", facts.state().path("tokens").asText());
    }
    row(
        "made by",
        "Moxin for Java " + facts.code().version() + ", commit " + facts.code().commit());
    row("producer", facts.recipe().producer());
    line("");
    line(
        "Every setting is in `recipe.yaml`"
            + (facts.report() ? "; curves and samples are in `report.html`." : "."));
  }

  private void data() {
    section("Training data");
    line((facts.corpus().isNull() ? "" : "See `DATA_CARD.md`. ") + DataCard.summary(facts));
  }

  private void evaluation() {
    JsonNode results = facts.results().path("results");
    section("Evaluation");
    if (!results.isObject() || results.isEmpty()) {
      line("This release has no evaluation results.");
      return;
    }
    line("| task | questions | metric | value | standard error |");
    line("|---|---:|---|---:|---:|");
    for (Map.Entry<String, JsonNode> task : results.properties()) {
      for (Map.Entry<String, JsonNode> metric : task.getValue().properties()) {
        String key = metric.getKey();
        if (metric.getValue().isNumber() && !key.contains("_stderr")) {
          String name = key.replaceFirst(",.*", "");
          JsonNode error = task.getValue().path(key.replaceFirst(",", "_stderr,"));
          line(
              "| %s | %s | %s | %s | %s |"
                  .formatted(
                      task.getKey(),
                      questions(facts.results().path("n-samples").path(task.getKey())),
                      name,
                      figure(metric.getValue()),
                      error.isNumber() ? figure(error) : ""));
        }
      }
    }
    JsonNode xz = facts.summary().path("xzBitsPerByte");
    if (xz.isNumber()) {
      line("");
      line("`xz -9` needs " + figure(xz) + " bits per byte for the same held-out text.");
    }
    line("");
    line("Raw results and every sample are in `evaluation/`.");
  }

  private void use() {
    section("Use and limits");
    line("    moxin chat --model " + ReleaseFolder.MODEL);
    line("");
    line(
        "The model continues text of the kind it was trained on. It has not been aligned, knows"
            + " nothing reliably, and may repeat passages of its training data, whose licences then"
            + " apply to them. It is no base for decisions about people.");
  }

  private void contents() {
    section("Licences");
    line("| what | licence |");
    line("|---|---|");
    row("code", facts.recipe().code());
    row("weights", facts.recipe().weights());
    row("cards, report, results", facts.recipe().document());
    row("documents read", facts.corpus().isNull() ? "unknown" : "their own, see `DATA_CARD.md`");
    line("");
    line(
        "The licence of the weights is what the producer grants. Whether weights are subject to the"
            + " licences of the text they were trained on is not settled; this card does not claim"
            + " that they are not.");
    line("");
    line(
        "`MODEL_OPENNESS.yml` lists the components under the Model Openness Framework; `moxin"
            + " release check .` computes the class that the files reach and verifies every hash"
            + " from the weights to the documents.");
  }

  private void section(String title) {
    line("");
    line("## " + title);
    line("");
  }

  private void row(String name, Object value) {
    line("| " + name + " | " + value + " |");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }

  /// How many questions were asked, and of how many if not all were.
  private static String questions(JsonNode samples) {
    String asked = samples.path("effective").asText();
    String all = samples.path("original").asText();
    return asked.equals(all) ? asked : asked + " of " + all;
  }

  private static String figure(JsonNode number) {
    return String.format(Locale.ROOT, "%.4f", number.asDouble());
  }
}
