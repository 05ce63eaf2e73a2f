package moxin.text.sentencepiece;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Prepares text as `normalizer.cc` does, into the form in which pieces are looked for: where the
/// model escapes spaces, the escape U+2581 stands as a plain space.
final class TextNormaliser {
  private final SentencePieceModel.Normaliser rules;
  private final boolean whitespaceAsSuffix;
  private final @Nullable CharsMap charsMap;
  private final PrefixMatcher userDefined;

  TextNormaliser(String origin, SentencePieceModel model) {
    rules = model.normaliser();
    whitespaceAsSuffix = model.trainer().whitespaceAsSuffix();
    charsMap = rules.charsMap().length == 0 ? null : CharsMap.parse(origin, rules.charsMap());
    Map<String, Integer> texts = new HashMap<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      if (model.pieces().get(id).type() == SentencePieceModel.PieceType.USER_DEFINED) {
        texts.put(model.pieces().get(id).text(), id);
      }
    }
    userDefined = new PrefixMatcher(texts);
  }

  char[] normalise(String text) {
    if (text.isEmpty()) {
      return new char[0];
    }
    if (charsMap == null && !rules.removeExtraWhitespaces() && !whitespaceAsSuffix) {
      return plain(text);
    }
    return general(text);
  }

  /// The only change is the space in front, the escape and lone surrogates, which no UTF-8 has.
  private char[] plain(String text) {
    int prefix = rules.addDummyPrefix() ? 1 : 0;
    int length = text.length();
    char[] chars = new char[prefix + length];
    text.getChars(0, length, chars, prefix);
    if (prefix == 1) {
      chars[0] = ' ';
    }
    repair(chars, rules.escapeWhitespaces());
    if (prefix == 1 && !rules.escapeWhitespaces()) {
      chars[0] = ' ';
    }
    return chars;
  }

  private static void repair(char[] chars, boolean escape) {
    for (int i = 0; i < chars.length; i++) {
      char c = chars[i];
      if (c >= SentencePieceModel.SPACE) {
        if (escape && c == SentencePieceModel.SPACE) {
          chars[i] = ' ';
        } else if (Character.isHighSurrogate(c)) {
          if (i + 1 < chars.length && Character.isLowSurrogate(chars[i + 1])) {
            i++;
          } else {
            chars[i] = '�';
          }
        } else if (Character.isLowSurrogate(c)) {
          chars[i] = '�';
        }
      }
    }
  }

  private char[] general(String text) {
    char[] raw = text.toCharArray();
    repair(raw, false);
    StringBuilder out = new StringBuilder(raw.length + 1);
    boolean dummy = rules.addDummyPrefix();
    boolean trim = rules.removeExtraWhitespaces();
    boolean anything = false;
    boolean previousIsSpace = trim;
    int position = 0;
    while (position < raw.length) {
      Unit unit = unit(raw, position);
      position += unit.length();
      String piece = unit.text();
      if (!anything) {
        if (trim && piece.equals(" ")) {
          continue;
        }
        anything = true;
        if (dummy && !whitespaceAsSuffix) {
          out.append(' ');
        }
      }
      if (previousIsSpace) {
        piece = piece.substring(leadingSpaces(piece));
      }
      if (!piece.isEmpty()) {
        out.append(
            rules.escapeWhitespaces() ? piece.replace(SentencePieceModel.SPACE, ' ') : piece);
        previousIsSpace = trim && piece.endsWith(" ");
      }
    }
    if (trim) {
      while (!out.isEmpty() && out.charAt(out.length() - 1) == ' ') {
        out.setLength(out.length() - 1);
      }
    }
    if (anything && dummy && whitespaceAsSuffix) {
      out.append(' ');
    }
    char[] chars = new char[out.length()];
    out.getChars(0, chars.length, chars, 0);
    return chars;
  }

  private record Unit(String text, int length) {}

  private Unit unit(char[] raw, int position) {
    PrefixMatcher.Entry symbol = userDefined.match(raw, position, raw.length);
    if (symbol != null) {
      return new Unit(new String(symbol.text()), symbol.text().length);
    }
    if (charsMap != null) {
      // Keys of a character map are short sequences of a letter and its marks.
      int end = Math.min(raw.length, position + 32);
      if (end < raw.length && Character.isHighSurrogate(raw[end - 1])) {
        end--;
      }
      byte[] bytes = new String(raw, position, end - position).getBytes(StandardCharsets.UTF_8);
      long found = charsMap.longestPrefix(bytes, 0, bytes.length);
      if (found >= 0) {
        int matched = new String(bytes, 0, (int) (found >>> 32), StandardCharsets.UTF_8).length();
        return new Unit(charsMap.replacement((int) found), Math.max(1, matched));
      }
    }
    int length = Character.charCount(Character.codePointAt(raw, position));
    return new Unit(new String(raw, position, length), length);
  }

  private static int leadingSpaces(String text) {
    int n = 0;
    while (n < text.length() && text.charAt(n) == ' ') {
      n++;
    }
    return n;
  }
}
