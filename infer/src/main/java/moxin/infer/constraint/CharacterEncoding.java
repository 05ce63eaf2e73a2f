package moxin.infer.constraint;

import java.nio.charset.StandardCharsets;

/// How characters become bytes in an automaton.
enum CharacterEncoding {
  /// UTF-8.
  PLAIN {
    @Override
    void append(Nfa nfa, int from, CodePoints set, int to) {
      appendUtf8(nfa, from, set, to);
    }
  },
  /// The inside of a JSON string, in one way for each character: escaped where it has to be, by the
  /// short form if there is one, and otherwise as it is.
  JSON_STRING {
    @Override
    void append(Nfa nfa, int from, CodePoints set, int to) {
      appendUtf8(nfa, from, set.minus(ESCAPED), to);
      CodePoints escaped = set.and(ESCAPED);
      if (!escaped.isEmpty()) {
        int backslash = nfa.literal(from, new byte[] {'\\'});
        appendEscapes(nfa, backslash, escaped, to);
      }
    }
  };

  /// What JSON strings must escape.
  static final CodePoints ESCAPED = CodePoints.range(0, 0x1F).or(CodePoints.anyOf("\"\\"));

  private static final String SHORT = "\b\f\n\r\t\"\\";
  private static final String SHORT_LETTERS = "bfnrt\"\\";

  /// Makes each character of `set` lead from `from` to `to`.
  abstract void append(Nfa nfa, int from, CodePoints set, int to);

  /// What stands behind the backslash: a letter, or `u00` and two digits.
  private static void appendEscapes(Nfa nfa, int backslash, CodePoints escaped, int to) {
    int[] high = {-1, -1};
    int digits = -1;
    for (int c = 0; c < 0x80; c++) {
      if (!escaped.contains(c)) {
        continue;
      }
      int shortForm = SHORT.indexOf(c);
      if (shortForm >= 0) {
        int letter = SHORT_LETTERS.charAt(shortForm);
        nfa.bytes(backslash, letter, letter, to);
        continue;
      }
      if (digits < 0) {
        digits = nfa.literal(backslash, new byte[] {'u', '0', '0'});
      }
      if (high[c >> 4] < 0) {
        high[c >> 4] = nfa.literal(digits, new byte[] {(byte) ('0' + (c >> 4))});
      }
      int low = Character.forDigit(c & 15, 16);
      nfa.bytes(high[c >> 4], low, low, to);
    }
  }

  private static void appendUtf8(Nfa nfa, int from, CodePoints set, int to) {
    int[] lengths = {0, 0x80, 0x800, 0x10000, Character.MAX_CODE_POINT + 1};
    for (int i = 0; i + 1 < lengths.length; i++) {
      CodePoints same = set.and(CodePoints.range(lengths[i], lengths[i + 1] - 1));
      for (int range = 0; range < same.rangeCount(); range++) {
        SequenceRange.utf8(nfa, from, utf8(same.first(range)), utf8(same.last(range)), to);
      }
    }
  }

  private static byte[] utf8(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }
}
