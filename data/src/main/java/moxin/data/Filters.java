package moxin.data;

import java.util.List;
import moxin.data.DocumentFilter.Verdict;
import moxin.data.Draft.Form;

/// The rules that a single document must pass, in the order in which they are asked.
public final class Filters {

  /// Code files on average or anywhere wider than this are generated or tables (the bounds of The
  /// Stack's and Codex's filters).
  static final int MAX_MEAN_LINE = 100;

  static final int MAX_LINE = 1000;

  /// Code with a smaller share of letters is a table of numbers or escapes.
  static final double MIN_LETTERS = 0.25;

  private Filters() {}

  /// The rules of `recipe`.
  public static List<DocumentFilter> of(CorpusRecipe recipe) {
    return List.of(
        shorterThan(recipe.minimumCharacters()),
        longerThan(recipe.maxDocumentBytes()),
        longLines(),
        fewLetters());
  }

  /// The first objection of `filters` to `draft`, or [Verdict#KEEP].
  public static Verdict judge(List<DocumentFilter> filters, Draft draft) {
    for (DocumentFilter filter : filters) {
      Verdict verdict = filter.judge(draft);
      if (verdict instanceof Verdict.Drop) {
        return verdict;
      }
    }
    return Verdict.KEEP;
  }

  /// Drops documents with fewer than `minimum` characters that are neither ASCII punctuation nor
  /// space, newline or tab (SlimPajama, step 1). Questions are short by nature and have their own
  /// bounds.
  public static DocumentFilter shorterThan(int minimum) {
    return draft ->
        draft.form() == Form.QUESTION || hasContent(draft.text(), minimum)
            ? Verdict.KEEP
            : new Verdict.Drop("short-text");
  }

  /// Drops documents of more than `maximum` bytes of UTF-8.
  public static DocumentFilter longerThan(int maximum) {
    return draft ->
        draft.text().length() > maximum / 3 && Utf8.byteLength(draft.text()) > maximum
            ? new Verdict.Drop("too-long")
            : Verdict.KEEP;
  }

  /// Drops code whose lines are wider than people write: a mean above 100 characters or one above
  /// 1000.
  public static DocumentFilter longLines() {
    return draft -> {
      if (draft.form() != Form.CODE) {
        return Verdict.KEEP;
      }
      String text = draft.text();
      int lines = 0;
      int longest = 0;
      for (int start = 0; start < text.length(); lines++) {
        int end = text.indexOf('\n', start);
        end = end < 0 ? text.length() : end;
        longest = Math.max(longest, end - start);
        start = end + 1;
      }
      return longest > MAX_LINE || text.length() > (long) MAX_MEAN_LINE * Math.max(1, lines)
          ? new Verdict.Drop("long-lines")
          : Verdict.KEEP;
    };
  }

  /// Drops code with less than a quarter of letters among what is not white space; a `\\uXXXX`
  /// escape counts as no letter.
  public static DocumentFilter fewLetters() {
    return draft -> {
      if (draft.form() != Form.CODE) {
        return Verdict.KEEP;
      }
      String text = draft.text();
      int letters = 0;
      int visible = 0;
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c == '\\' && i + 5 < text.length() && text.charAt(i + 1) == 'u') {
          visible += 6;
          i += 5;
        } else if (c > ' ') {
          visible++;
          letters += Character.isLetter(c) ? 1 : 0;
        }
      }
      return letters < MIN_LETTERS * visible ? new Verdict.Drop("few-letters") : Verdict.KEEP;
    };
  }

  private static boolean hasContent(String text, int minimum) {
    int count = 0;
    for (int i = 0; i < text.length() && count < minimum; i++) {
      char c = text.charAt(i);
      if (!isPunctuation(c) && c != ' ' && c != '\n' && c != '\t') {
        count += Character.isLowSurrogate(c) ? 0 : 1;
      }
    }
    return count >= minimum;
  }

  /// Whether `c` is one of the 32 characters of ASCII punctuation.
  static boolean isPunctuation(char c) {
    return (c >= '!' && c <= '/')
        || (c >= ':' && c <= '@')
        || (c >= '[' && c <= '`')
        || (c >= '{' && c <= '~');
  }
}
