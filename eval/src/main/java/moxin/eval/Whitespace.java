package moxin.eval;

/// White space as Python's `str.isspace` and `\s` see it, on which the harness's rules rest.
final class Whitespace {

  private Whitespace() {}

  static boolean is(int codePoint) {
    return Character.isSpaceChar(codePoint)
        || (codePoint >= 0x09 && codePoint <= 0x0d)
        || (codePoint >= 0x1c && codePoint <= 0x1f)
        || codePoint == 0x85;
  }

  /// The length of `text` without its trailing white space.
  static int strippedLength(String text) {
    int end = text.length();
    while (end > 0 && is(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return end;
  }

  /// The number of pieces that splitting at runs of white space gives, empty ones at either end
  /// included, as `len(re.split(r"\s+", text))`.
  static int words(String text) {
    int words = 1;
    boolean inside = false;
    for (int i = 0; i < text.length(); i++) {
      boolean space = is(text.charAt(i));
      if (space && !inside) {
        words++;
      }
      inside = space;
    }
    return words;
  }
}
