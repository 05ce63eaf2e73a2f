package moxin.data;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// Counts by stage, source and name, each with an example. Merging is associative and commutative,
/// so that the counts do not depend on how the work was divided. Mutable; for one thread.
public final class Tally implements StageItem {
  /// Files read.
  public static final String FILES = "files";

  /// Files by licence.
  public static final String LICENCES = "licences";

  /// Files, lines and entries that gave no document, by reason.
  public static final String SKIPPED = "skipped";

  /// Places whose bytes were no UTF-8.
  public static final String REPLACED = "replaced";

  /// Documents as they were read.
  public static final String DRAFTS = "drafts";

  /// Documents dropped, by reason.
  public static final String DROPPED = "dropped";

  /// Documents that passed the rules for single documents.
  public static final String KEPT = "kept";

  private static final long serialVersionUID = 1;

  private final TreeMap<Key, Count> counts = new TreeMap<>();

  /// What is counted.
  public record Key(String stage, String source, String name)
      implements Comparable<Key>, java.io.Serializable {
    @Override
    public int compareTo(Key other) {
      int order = stage.compareTo(other.stage);
      order = order != 0 ? order : source.compareTo(other.source);
      return order != 0 ? order : name.compareTo(other.name);
    }
  }

  /// A count with its first example in natural order.
  public record Count(long documents, long bytes, long characters, String example, String evidence)
      implements java.io.Serializable {

    /// Nothing counted.
    public static final Count NONE = new Count(0, 0, 0, "", "");

    Count plus(Count other) {
      if (documents == 0) {
        return other;
      }
      boolean first = other.documents == 0 || compareNaturally(example, other.example) <= 0;
      return new Count(
          documents + other.documents,
          bytes + other.bytes,
          characters + other.characters,
          first ? example : other.example,
          first ? evidence : other.evidence);
    }
  }

  /// Counts one document or file.
  public void add(
      String stage,
      String source,
      String name,
      long bytes,
      long characters,
      String example,
      String evidence) {
    counts.merge(
        new Key(stage, source, name),
        new Count(1, bytes, characters, example, evidence),
        Count::plus);
  }

  /// Adds the counts of `other`.
  public void merge(Tally other) {
    other.counts.forEach((key, count) -> counts.merge(key, count, Count::plus));
  }

  /// The count under a key, or none.
  public Count count(String stage, String source, String name) {
    return counts.getOrDefault(new Key(stage, source, name), Count.NONE);
  }

  /// Visits the counts of `stage` in order.
  public void forEach(String stage, BiConsumer<Key, Count> action) {
    for (Map.Entry<Key, Count> entry : counts.entrySet()) {
      if (entry.getKey().stage().equals(stage)) {
        action.accept(entry.getKey(), entry.getValue());
      }
    }
  }

  /// Compares so that `a:2` comes before `a:10`.
  static int compareNaturally(String a, String b) {
    int i = 0;
    int j = 0;
    while (i < a.length() && j < b.length()) {
      if (isDigit(a.charAt(i)) && isDigit(b.charAt(j))) {
        int startA = i;
        int startB = j;
        i = digitsEnd(a, i);
        j = digitsEnd(b, j);
        int order =
            new java.math.BigInteger(a.substring(startA, i))
                .compareTo(new java.math.BigInteger(b.substring(startB, j)));
        if (order != 0) {
          return order;
        }
      } else if (a.charAt(i) != b.charAt(j)) {
        return Character.compare(a.charAt(i), b.charAt(j));
      } else {
        i++;
        j++;
      }
    }
    int order = Integer.compare(a.length() - i, b.length() - j);
    return order != 0 ? order : a.compareTo(b);
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static int digitsEnd(String text, int start) {
    int i = start;
    while (i < text.length() && isDigit(text.charAt(i))) {
      i++;
    }
    return i;
  }
}
