package moxin.release;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import moxin.release.mof.LicenceList;

/// The licences that a corpus report found in the documents' own files.
///
/// @param found one entry for each source and licence
/// @param distributed the sources that come from a distribution which as a whole is under the
///   licence most of its files state; files of it that state none are covered by it
record DataLicences(List<Found> found, Set<String> distributed) {
  private static final Set<String> UNSTATED = Set.of("NONE", "NOASSERTION", "");
  private static final Set<String> OPERATORS = Set.of("AND", "OR", "WITH");

  DataLicences {
    found = List.copyOf(found);
    distributed = Set.copyOf(distributed);
  }

  /// How many files of a source are under a licence, and the words that say so.
  ///
  /// @param expression an SPDX expression, `NONE` or `NOASSERTION`
  record Found(
      String source, String expression, long files, long bytes, String example, String evidence) {

    private Found of(String otherSource) {
      return new Found(otherSource, expression, files, bytes, example, evidence);
    }

    boolean stated() {
      return !UNSTATED.contains(expression);
    }

    /// Whether every licence of the expression is open; an exception only adds permissions.
    boolean open() {
      return stated() && ids(expression).stream().allMatch(id -> LicenceList.bundled().isOpen(id));
    }
  }

  /// The findings without repetition: where several sources read the same files, as a JDK's code
  /// and its Javadoc, the same files are found under each, and become one entry of `a, b`.
  List<Found> distinct() {
    Map<Found, List<String>> sources = new LinkedHashMap<>();
    for (Found entry : found) {
      sources.computeIfAbsent(entry.of(""), key -> new ArrayList<>()).add(entry.source());
    }
    return sources.entrySet().stream()
        .map(entry -> entry.getKey().of(String.join(", ", entry.getValue())))
        .toList();
  }

  /// Reads the report of a corpus.
  static DataLicences of(JsonNode report) {
    List<Found> found = new ArrayList<>();
    for (JsonNode node : report.path("licences")) {
      found.add(
          new Found(
              node.path("source").asText(),
              node.path("licence").asText(),
              node.path("files").asLong(),
              node.path("bytes").asLong(),
              node.path("example").asText(),
              node.path("evidence").asText()));
    }
    Set<String> distributed = new HashSet<>();
    for (JsonNode source : report.path("settings").path("sources")) {
      String name = source.path("name").asText();
      if (source.path("kind").asText().startsWith("jdk-") && mostlyOpen(name, found)) {
        distributed.add(name);
      }
    }
    return new DataLicences(found, distributed);
  }

  /// Whether most of a source is by its own words under open licences. A JDK under another licence
  /// than OpenJDK's is not.
  private static boolean mostlyOpen(String source, List<Found> found) {
    long open = 0;
    long all = 0;
    for (Found entry : found) {
      if (entry.source().equals(source)) {
        open += entry.open() ? entry.bytes() : 0;
        all += entry.bytes();
      }
    }
    return open > all / 2;
  }

  /// Why the documents may not be passed on without asking; empty if every licence is open.
  Optional<String> obstacle() {
    if (found.isEmpty()) {
      return Optional.of("no licence was found in the documents' files");
    }
    return found.stream()
        .filter(entry -> entry.stated() ? !entry.open() : !distributed.contains(entry.source()))
        .max(Comparator.comparingLong(Found::bytes))
        .map(
            entry ->
                entry.stated()
                    ? "of the files read, %d under %s, which is not open"
                        .formatted(entry.files(), entry.expression())
                    : "of the files of %s, %d without a known licence"
                        .formatted(entry.source(), entry.files()));
  }

  /// The SPDX id under which most of the bytes are, without exceptions, as a card can name it;
  /// empty where most state none.
  Optional<String> mainLicence() {
    Map<String, Long> bytes = new LinkedHashMap<>();
    for (Found entry : found) {
      if (entry.stated() || !distributed.contains(entry.source())) {
        String id = entry.stated() ? ids(entry.expression()).getFirst() : "";
        bytes.merge(id, entry.bytes(), Long::sum);
      }
    }
    return bytes.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(Map.Entry::getKey)
        .filter(id -> !id.isEmpty());
  }

  /// The licences and exceptions that an SPDX expression names.
  static List<String> words(String expression) {
    return Stream.of(expression.split("[\\s()]+", -1))
        .filter(word -> !word.isEmpty() && !OPERATORS.contains(word))
        .toList();
  }

  /// The licences of an SPDX expression; an exception is no licence.
  private static List<String> ids(String expression) {
    List<String> ids = words(expression.replaceAll("\\sWITH\\s+[^\\s()]+", ""));
    return ids.isEmpty() ? List.of(expression) : ids;
  }
}
