package moxin.release;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import moxin.job.Manifest;

/// The data card: what was read, what became of it, and under which licences it stands.
final class DataCard {
  private final ReleaseFacts facts;
  private final StringBuilder text = new StringBuilder();

  private DataCard(ReleaseFacts facts) {
    this.facts = facts;
  }

  /// @param corpus the manifest of the corpus, where there is one
  static String of(ReleaseFacts facts, Optional<Manifest> corpus) {
    DataCard card = new DataCard(facts);
    card.line("# Data of " + facts.name());
    card.line("");
    card.line(summary(facts));
    corpus.ifPresent(card::origins);
    card.funnel();
    card.dropped();
    card.licences();
    card.availability();
    return card.text.toString();
  }

  /// One paragraph about the documents and their licences.
  static String summary(ReleaseFacts facts) {
    if (facts.corpus().isNull()) {
      return "The run names no corpus report, so nothing is known here about its documents.";
    }
    String sources =
        facts.corpus().path("sources").properties().stream()
            .map(Map.Entry::getKey)
            .collect(Collectors.joining(", "));
    return "Sources: " + sources + ". " + licenceOf(facts.licences().distinct());
  }

  private static String licenceOf(List<DataLicences.Found> found) {
    long all = found.stream().mapToLong(DataLicences.Found::bytes).sum();
    return found.stream()
        .filter(DataLicences.Found::stated)
        .collect(
            Collectors.groupingBy(
                DataLicences.Found::expression,
                TreeMap::new,
                Collectors.summingLong(DataLicences.Found::bytes)))
        .entrySet()
        .stream()
        .max(Map.Entry.comparingByValue())
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    "By the files' own headers %.1f %% of what was read is under %s.",
                    100.0 * entry.getValue() / Math.max(1, all),
                    cell(entry.getKey())))
        .orElse("The files read state no licence.");
  }

  private void origins(Manifest corpus) {
    section("What was read");
    line("| input | bytes | sha256 |");
    line("|---|---:|---|");
    for (Manifest.Entry input : corpus.inputs()) {
      String name = input.name().replaceFirst(".*[/\\\\](?=.)", "");
      line("| %s | %d | `%s` |".formatted(cell(name), input.byteSize(), input.sha256()));
    }
    line("");
    line(
        "Prepared by Moxin for Java %s, commit %s, on Java %s by %s."
            .formatted(
                corpus.code().version(),
                corpus.code().commit(),
                corpus.environment().getOrDefault("java", "unknown"),
                corpus.environment().getOrDefault("javaVendor", "unknown")));
  }

  private void funnel() {
    section("What became of it");
    line(
        "| source | files | documents | after rules | after exact | after near duplicates | train"
            + " | held out | train characters |");
    line("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (Map.Entry<String, JsonNode> source : facts.corpus().path("sources").properties()) {
      JsonNode f = source.getValue();
      line(
          "| %s | %d | %d | %d | %d | %d | %d | %d | %d |"
              .formatted(
                  cell(source.getKey()),
                  documents(f, "files"),
                  documents(f, "documents"),
                  documents(f, "afterRules"),
                  documents(f, "afterExactDuplicates"),
                  documents(f, "afterNearDuplicates"),
                  documents(f, "train"),
                  documents(f, "validation"),
                  f.path("train").path("characters").asLong()));
    }
  }

  private void dropped() {
    section("What was dropped and why");
    line("| source | reason | documents | bytes | for example |");
    line("|---|---|---:|---:|---|");
    for (String list : List.of("skipped", "dropped")) {
      for (JsonNode reason : facts.corpus().path(list)) {
        line(
            "| %s | %s | %d | %d | %s |"
                .formatted(
                    cell(reason.path("source").asText()),
                    cell(reason.path("reason").asText()),
                    reason.path("documents").asLong(),
                    reason.path("bytes").asLong(),
                    cell(reason.path("example").asText())));
      }
    }
  }

  private void licences() {
    section("Licences found in the files");
    line("| source | licence | files | bytes | for example | its words |");
    line("|---|---|---:|---:|---|---|");
    for (DataLicences.Found found : facts.licences().distinct()) {
      line(
          "| %s | %s | %d | %d | %s | %s |"
              .formatted(
                  cell(found.source()),
                  cell(found.expression()),
                  found.files(),
                  found.bytes(),
                  cell(found.example()),
                  cell(found.evidence())));
    }
    line("");
    line(
        "`NONE` means that a file states no licence, `NOASSERTION` that its header names none known"
            + " to the program.");
    if (!facts.licences().distributed().isEmpty()) {
      line(
          "The sources "
              + String.join(", ", facts.licences().distributed().stream().sorted().toList())
              + " come from one distribution, whose own licence covers the files that state none.");
    }
  }

  private void availability() {
    section("Where the documents are");
    line(
        facts
            .datasetsHeldBack()
            .map(
                reason ->
                    "Not in this folder: "
                        + reason
                        + ". `data/manifest.json` names every document file by its sha256, so that"
                        + " preparing the same inputs with the same recipe can be compared.")
            .orElse(
                "In `data/documents`, JSON lines with id, source, text, licence and hash of each"
                    + " document. They are changed from the originals: licence headers are separated"
                    + " from the text, characters are normalised, documents are filtered and cut as"
                    + " `data/report.json` says. Each keeps its licence."));
  }

  private static long documents(JsonNode funnel, String stage) {
    return funnel.path(stage).path("documents").asLong();
  }

  private static String cell(String value) {
    String oneLine = value.replaceAll("\\s+", " ").replace("|", "\\|").replace("<", "&lt;");
    return oneLine.length() > 160 ? oneLine.substring(0, 160) + "…" : oneLine;
  }

  private void section(String title) {
    line("");
    line("## " + title);
    line("");
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
