package moxin.train.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What was read, what was dropped and why, and under which licences it stands.
final class DataSection {
  private static final int MOST_SOURCES = 20;
  private static final int MOST_ROWS = 60;

  private DataSection() {}

  static void write(Markup page, RunFiles run) {
    JsonNode sources = run.data().path("sources");
    if (sources.isEmpty()) {
      return;
    }
    page.section("Data");
    int shown = 0;
    for (Map.Entry<String, JsonNode> source : sources.properties()) {
      if (shown++ < MOST_SOURCES) {
        funnel(page, source.getKey(), source.getValue());
      }
    }
    if (shown > MOST_SOURCES) {
      page.leaf("p", "and " + (shown - MOST_SOURCES) + " more sources", "class", "muted");
    }
    reasons(page, "Documents dropped", run.data().path("dropped"));
    reasons(page, "Files, lines and entries without a document", run.data().path("skipped"));
    licences(page, run.data().path("licences"));
    page.close();
  }

  private static void funnel(Markup page, String name, JsonNode funnel) {
    long most = Math.max(1, funnel.path("documents").path("documents").asLong());
    JsonNode files = funnel.path("files");
    page.open("h3").text(name).text(" ");
    page.leaf(
        "span",
        Figures.exact(files.path("documents").asLong())
            + (files.path("documents").asLong() == 1 ? " file, " : " files, ")
            + Figures.bytes(files.path("bytes").asLong()),
        "class",
        "muted");
    page.close();
    Bars.open(page);
    stage(page, "bar", "documents read", funnel.path("documents"), most);
    stage(page, "bar", "passed the rules", funnel.path("afterRules"), most);
    stage(page, "bar", "not exact duplicates", funnel.path("afterExactDuplicates"), most);
    stage(page, "bar", "not near-duplicates", funnel.path("afterNearDuplicates"), most);
    stage(page, "bar strong", "for training", funnel.path("train"), most);
    stage(page, "bar other", "held out", funnel.path("validation"), most);
    page.close();
  }

  private static void stage(Markup page, String style, String name, JsonNode size, long most) {
    long documents = size.path("documents").asLong();
    Bars.add(
        page,
        style,
        name,
        (double) documents / most,
        Figures.exact(documents) + ", " + Figures.bytes(size.path("bytes").asLong()));
  }

  private static void reasons(Markup page, String title, JsonNode reasons) {
    if (reasons.isEmpty()) {
      return;
    }
    page.open("details").leaf("summary", title);
    page.table("source", "reason", "#number", "#size", "such as").open("tbody");
    for (JsonNode reason : first(reasons)) {
      page.open("tr").leaf("td", reason.path("source").asText());
      page.leaf("td", reason.path("reason").asText());
      sizes(page, reason.path("documents"), reason.path("bytes"));
      page.leaf("td", Figures.shortened(reason.path("example").asText(), 120), "class", "path");
      page.close();
    }
    page.close().close().close().close();
  }

  private static void licences(Markup page, JsonNode licences) {
    if (licences.isEmpty()) {
      return;
    }
    page.open("details").leaf("summary", "Licences of the files read");
    page.table("source", "licence", "#files", "#size", "such as").open("tbody");
    for (JsonNode licence : first(licences)) {
      page.open("tr").leaf("td", licence.path("source").asText());
      page.leaf("td", licence.path("licence").asText());
      sizes(page, licence.path("files"), licence.path("bytes"));
      page.leaf("td", Figures.shortened(licence.path("example").asText(), 120), "class", "path");
      page.close();
    }
    page.close().close().close().close();
  }

  private static void sizes(Markup page, JsonNode number, JsonNode bytes) {
    page.leaf("td", Figures.exact(number.asLong()), "class", "number");
    page.leaf("td", bytes.asLong() == 0 ? "" : Figures.bytes(bytes.asLong()), "class", "number");
  }

  private static List<JsonNode> first(JsonNode list) {
    List<JsonNode> rows = new ArrayList<>();
    for (JsonNode row : list) {
      if (rows.size() < MOST_ROWS) {
        rows.add(row);
      }
    }
    return rows;
  }
}
