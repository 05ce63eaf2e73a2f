package moxin.text.sentencepiece;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Finds the longest of some texts at a position: the user-defined pieces of a vocabulary.
final class PrefixMatcher {
  private final Map<Character, List<Entry>> byFirst = new HashMap<>();
  private final boolean[] asciiStarts = new boolean[128];

  /// A text and the id of its piece.
  record Entry(char[] text, int id) {}

  PrefixMatcher(Map<String, Integer> texts) {
    texts.forEach(
        (text, id) -> {
          char first = text.charAt(0);
          byFirst
              .computeIfAbsent(first, c -> new ArrayList<>())
              .add(new Entry(text.toCharArray(), id));
          if (first < 128) {
            asciiStarts[first] = true;
          }
        });
    byFirst
        .values()
        .forEach(
            entries ->
                entries.sort(Comparator.comparingInt((Entry e) -> e.text().length).reversed()));
  }

  boolean isEmpty() {
    return byFirst.isEmpty();
  }

  /// The longest text that stands at `text[from]`, before `to`.
  @Nullable Entry match(char[] text, int from, int to) {
    char first = text[from];
    if (first < 128 && !asciiStarts[first]) {
      return null;
    }
    List<Entry> entries = byFirst.get(first);
    if (entries == null) {
      return null;
    }
    for (Entry entry : entries) {
      if (startsWith(text, from, to, entry.text())) {
        return entry;
      }
    }
    return null;
  }

  private static boolean startsWith(char[] text, int from, int to, char[] prefix) {
    if (to - from < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if (text[from + i] != prefix[i]) {
        return false;
      }
    }
    return true;
  }
}
