package moxin.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What became of everything that was read: the funnel of each source, what was dropped and why,
/// and the licences found.
///
/// @param sources the funnel by source
/// @param skipped files, lines and archive entries that gave no document, by reason
/// @param dropped documents dropped, by reason
/// @param licences the licences of the files read
/// @param replaced places whose bytes were no UTF-8 and became U+FFFD
/// @param seconds how long each stage took
/// @param settings the resolved recipe section
public record CorpusReport(
    Map<String, Funnel> sources,
    List<Reason> skipped,
    List<Reason> dropped,
    List<Licence> licences,
    long replaced,
    Map<String, Double> seconds,
    CorpusRecipe settings) {

  /// How much is left of a source after each stage.
  public record Funnel(
      Size files,
      Size documents,
      Size afterRules,
      Size afterExactDuplicates,
      Size afterNearDuplicates,
      Size train,
      Size validation) {}

  /// A number of documents or files and their size.
  public record Size(long documents, long bytes, long characters) {
    static Size of(Tally.Count count) {
      return new Size(count.documents(), count.bytes(), count.characters());
    }

    Size minus(Size other) {
      return new Size(
          documents - other.documents, bytes - other.bytes, characters - other.characters);
    }
  }

  /// How many were dropped for a reason, and the first of them.
  public record Reason(String source, String reason, long documents, long bytes, String example) {}

  /// How many files of a source have a licence, the first of them, and its words.
  public record Licence(
      String source, String licence, long files, long bytes, String example, String evidence) {}

  /// The reason under which exact duplicates are counted.
  public static final String EXACT = "exact-duplicate";

  /// The reason under which near-duplicates are counted.
  public static final String NEAR = "near-duplicate";

  /// The report of `tally`.
  public static CorpusReport of(CorpusRecipe recipe, Tally tally, Map<String, Double> seconds) {
    Map<String, Funnel> sources = new TreeMap<>();
    for (CorpusRecipe.Source source : recipe.sources()) {
      String name = source.name();
      Size kept = Size.of(tally.count(Tally.KEPT, name, ""));
      Size unique = kept.minus(Size.of(tally.count(Tally.DROPPED, name, EXACT)));
      sources.put(
          name,
          new Funnel(
              Size.of(tally.count(Tally.FILES, name, "")),
              Size.of(tally.count(Tally.DRAFTS, name, "")),
              kept,
              unique,
              unique.minus(Size.of(tally.count(Tally.DROPPED, name, NEAR))),
              Size.of(tally.count(Split.TRAIN.folder(), name, "")),
              Size.of(tally.count(Split.VALIDATION.folder(), name, ""))));
    }
    List<Licence> licences = new ArrayList<>();
    tally.forEach(
        Tally.LICENCES,
        (key, count) ->
            licences.add(
                new Licence(
                    key.source(),
                    key.name(),
                    count.documents(),
                    count.bytes(),
                    count.example(),
                    count.evidence())));
    long[] replaced = {0};
    tally.forEach(Tally.REPLACED, (key, count) -> replaced[0] += count.characters());
    return new CorpusReport(
        sources,
        reasons(tally, Tally.SKIPPED),
        reasons(tally, Tally.DROPPED),
        licences,
        replaced[0],
        seconds,
        recipe);
  }

  private static List<Reason> reasons(Tally tally, String stage) {
    List<Reason> reasons = new ArrayList<>();
    tally.forEach(
        stage,
        (key, count) ->
            reasons.add(
                new Reason(
                    key.source(), key.name(), count.documents(), count.bytes(), count.example())));
    return reasons;
  }
}
