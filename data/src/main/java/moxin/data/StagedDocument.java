package moxin.data;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import moxin.data.DocumentFilter.Verdict;
import moxin.job.ContentHash;

/// A normalised document that passed the rules for single documents, with what finding duplicates
/// needs.
///
/// @param hash SHA-256 of the text
/// @param bands the band hashes of its MinHash signature
/// @param characters its length in code points
/// @param utf8 the text
public record StagedDocument(
    String id,
    String source,
    String splitKey,
    String licence,
    String hash,
    long[] bands,
    int characters,
    byte[] utf8)
    implements StageItem {

  /// Turns drafts into staged documents, tallying what is dropped. Immutable.
  public static final class Staging {
    private final List<DocumentFilter> filters;
    private final Optional<MinHash> minHash;

    public Staging(CorpusRecipe recipe) {
      this.minHash =
          recipe.nearDuplicates().permutations() == 0
              ? Optional.empty()
              : Optional.of(MinHash.of(recipe.nearDuplicates()));
      this.filters = Filters.of(recipe);
    }

    /// Stages `draft`, or tallies why not and returns an empty list.
    public List<StagedDocument> stage(Draft draft, Tally tally) {
      byte[] utf8 = draft.text().getBytes(StandardCharsets.UTF_8);
      int characters = draft.text().codePointCount(0, draft.text().length());
      tally.add(Tally.DRAFTS, draft.source(), "", utf8.length, characters, draft.id(), "");
      if (Filters.judge(filters, draft) instanceof Verdict.Drop drop) {
        tally.add(
            Tally.DROPPED, draft.source(), drop.reason(), utf8.length, characters, draft.id(), "");
        return List.of();
      }
      tally.add(Tally.KEPT, draft.source(), "", utf8.length, characters, draft.id(), "");
      long[] bands =
          minHash.map(hash -> hash.bandHashes(draft.text())).orElseGet(() -> new long[0]);
      return List.of(
          new StagedDocument(
              draft.id(),
              draft.source(),
              draft.splitKey(),
              draft.licence(),
              ContentHash.of(utf8),
              bands,
              characters,
              utf8));
    }
  }

  /// The text as a string.
  public String text() {
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
