package moxin.job;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/// Levenshtein's distance, to find the key or option somebody meant.
public final class EditDistance {

  private EditDistance() {}

  /// The word of `known` that is nearest to `word`, the first on ties; empty if `known` is.
  public static Optional<String> nearest(String word, Collection<String> known) {
    return known.stream().min(Comparator.comparingInt(candidate -> between(word, candidate)));
  }

  static int between(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replace = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replace, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
