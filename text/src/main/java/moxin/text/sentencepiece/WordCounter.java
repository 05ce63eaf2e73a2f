package moxin.text.sentencepiece;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/// Counts the words of a corpus in bounded memory. A word is a stretch of text inside which pieces
/// may form: letters, digits, marks, spaces or line ends among themselves, and a space before the
/// others. Cutting here exactly where no piece can reach makes training see what encoding will do.
final class WordCounter {
  private static final int MAX_WORD_CHARS = 48;
  private static final int MAX_WORDS = 1_200_000;

  private final TokenizerRecipe recipe;
  private final List<String> symbols;
  private final int maxWords;
  private final Map<String, long[]> counts = new HashMap<>();

  WordCounter(TokenizerRecipe recipe) {
    this(recipe, MAX_WORDS);
  }

  WordCounter(TokenizerRecipe recipe, int maxWords) {
    this.recipe = recipe;
    this.maxWords = maxWords;
    symbols = new ArrayList<>();
    for (String symbol : java.util.Objects.requireNonNull(recipe.userDefinedSymbols())) {
      symbols.add(symbol.replace(SentencePieceModel.SPACE, ' '));
    }
    symbols.sort(Comparator.comparingInt(String::length).reversed());
  }

  /// Counts each word of `document` `weight` times.
  void add(String document, long weight) {
    String text = document.replace(SentencePieceModel.SPACE, ' ');
    if (Boolean.TRUE.equals(recipe.addDummyPrefix())) {
      text = " " + text;
    }
    int start = 0;
    int i = 0;
    Kind previous = null;
    while (i < text.length()) {
      int symbol = symbolAt(text, i);
      if (symbol > 0) {
        count(text, start, i, weight);
        i += symbol;
        start = i;
        previous = null;
        continue;
      }
      int codePoint = text.codePointAt(i);
      Kind kind = Kind.of(codePoint);
      if (previous != null && (!joins(previous, kind) || i - start >= MAX_WORD_CHARS)) {
        count(text, start, i, weight);
        start = i;
      }
      previous = kind;
      i += Character.charCount(codePoint);
    }
    count(text, start, text.length(), weight);
    if (counts.size() > maxWords) {
      prune();
    }
  }

  /// The words in the order of their text, with their counts.
  List<Map.Entry<String, Long>> words() {
    List<Map.Entry<String, Long>> words = new ArrayList<>(counts.size());
    counts.forEach((word, count) -> words.add(Map.entry(word, count[0])));
    words.sort(Map.Entry.comparingByKey());
    return words;
  }

  /// Whether pieces `left` and `right` may become one.
  boolean mayMerge(String left, String right) {
    if (left.length() + right.length()
        > java.util.Objects.requireNonNull(recipe.maxPieceLength())) {
      return false;
    }
    boolean spaceInFront = left.charAt(0) == ' ';
    if (!spaceInFront) {
      return true;
    }
    boolean allSpaces = left.isBlank() && right.isBlank();
    return allSpaces || (right.charAt(0) != ' ' && (left.length() == 1 || left.charAt(1) != ' '));
  }

  private boolean joins(Kind a, Kind b) {
    if (a == b) {
      return switch (a) {
        case LETTER, MARK -> true;
        case DIGIT -> !Boolean.TRUE.equals(recipe.splitDigits());
        case SPACE, TAB, LINE_END -> Boolean.TRUE.equals(recipe.whitespacePieces());
      };
    }
    return a == Kind.SPACE
        && (b == Kind.LETTER
            || b == Kind.MARK
            || (b == Kind.DIGIT && !Boolean.TRUE.equals(recipe.splitDigits())));
  }

  private int symbolAt(String text, int at) {
    for (String symbol : symbols) {
      if (text.startsWith(symbol, at)) {
        return symbol.length();
      }
    }
    return 0;
  }

  private void count(String text, int from, int to, long weight) {
    if (to > from) {
      counts.computeIfAbsent(text.substring(from, to), word -> new long[1])[0] += weight;
    }
  }

  /// Forgets the rarest words until half of the room is free; which these are depends on the counts
  /// alone.
  private void prune() {
    for (long rarest = 1; counts.size() > maxWords / 2; rarest *= 2) {
      long limit = rarest;
      for (Iterator<long[]> it = counts.values().iterator(); it.hasNext(); ) {
        if (it.next()[0] <= limit) {
          it.remove();
        }
      }
    }
  }

  /// What characters stand together in a piece.
  private enum Kind {
    LETTER,
    DIGIT,
    MARK,
    SPACE,
    TAB,
    LINE_END;

    static Kind of(int codePoint) {
      return switch (codePoint) {
        case ' ' -> SPACE;
        case '\t' -> TAB;
        case '\n', '\r' -> LINE_END;
        default ->
            Character.isDigit(codePoint)
                ? DIGIT
                : Character.isLetter(codePoint)
                        || Character.getType(codePoint) == Character.NON_SPACING_MARK
                    ? LETTER
                    : MARK;
      };
    }
  }
}
