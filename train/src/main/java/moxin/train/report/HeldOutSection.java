package moxin.train.report;

import com.fasterxml.jackson.databind.JsonNode;

/// Bits per byte on held-out text beside those of a general compressor.
final class HeldOutSection {
  private HeldOutSection() {}

  static void write(Markup page, RunFiles run) {
    JsonNode model = run.summary().path("bitsPerByte");
    JsonNode xz = run.summary().path("xzBitsPerByte");
    if (!isPositive(model)) {
      return;
    }
    page.section("Held-out text");
    double bits = model.asDouble();
    double most = Math.max(bits, isPositive(xz) ? xz.asDouble() : 0);
    Bars.open(page);
    Bars.add(
        page, "bar strong", "this model", bits / most, Figures.format("%.3f bits per byte", bits));
    if (isPositive(xz)) {
      Bars.add(
          page,
          "bar other",
          "xz -9",
          xz.asDouble() / most,
          Figures.format("%.3f bits per byte", xz.asDouble()));
    }
    page.close();
    StringBuilder words = new StringBuilder();
    if (isPositive(xz)) {
      double saved = 1 - bits / xz.asDouble();
      words
          .append("The model needs ")
          .append(Figures.percent(Math.abs(saved)))
          .append(saved >= 0 ? " fewer bits than xz" : " more bits than xz")
          .append(" for the same text. ");
    }
    if (isPositive(run.summary().path("perplexity"))) {
      words
          .append("Perplexity ")
          .append(Figures.value(run.summary().path("perplexity").asDouble()))
          .append('.');
    }
    page.leaf("p", words.toString().strip(), "class", "muted").close();
  }

  private static boolean isPositive(JsonNode node) {
    return node.isNumber() && node.asDouble() > 0 && Double.isFinite(node.asDouble());
  }
}
