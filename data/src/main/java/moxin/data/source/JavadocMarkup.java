package moxin.data.source;

import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// The markup of Javadoc comments, turned into plain text in one pass.
enum JavadocMarkup {
  HTML,
  MARKDOWN;

  private static final Set<String> PARAGRAPHS =
      Set.of(
          "p",
          "ul",
          "ol",
          "dl",
          "table",
          "h1",
          "h2",
          "h3",
          "h4",
          "h5",
          "h6",
          "blockquote",
          "div",
          "section",
          "caption",
          "hr");
  private static final Set<String> LINES = Set.of("br", "tr", "dt", "dd");
  private static final Map<String, String> ENTITIES =
      Map.ofEntries(
          Map.entry("lt", "<"),
          Map.entry("gt", ">"),
          Map.entry("amp", "&"),
          Map.entry("quot", "\""),
          Map.entry("apos", "'"),
          Map.entry("nbsp", " "),
          Map.entry("copy", "©"),
          Map.entry("reg", "®"),
          Map.entry("times", "×"),
          Map.entry("minus", "−"),
          Map.entry("le", "≤"),
          Map.entry("ge", "≥"),
          Map.entry("ne", "≠"),
          Map.entry("plusmn", "±"),
          Map.entry("hellip", "…"),
          Map.entry("mdash", "—"),
          Map.entry("ndash", "–"),
          Map.entry("lsquo", "‘"),
          Map.entry("rsquo", "’"),
          Map.entry("ldquo", "“"),
          Map.entry("rdquo", "”"),
          Map.entry("pi", "π"),
          Map.entry("alpha", "α"),
          Map.entry("beta", "β"),
          Map.entry("infin", "∞"),
          Map.entry("lambda", "λ"),
          Map.entry("middot", "·"),
          Map.entry("deg", "°"),
          Map.entry("sect", "§"),
          Map.entry("rarr", "→"),
          Map.entry("sup2", "²"),
          Map.entry("lfloor", "⌊"),
          Map.entry("rfloor", "⌋"));

  private static final int MAX_DEPTH = 20;

  /// `text` without markup: paragraphs are separated by an empty line, lines inside them joined,
  /// preformatted ones kept.
  String plain(String text) {
    PlainText out = new PlainText();
    render(text, out, 0);
    return out.toString();
  }

  private void render(String text, PlainText out, int depth) {
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      if (c == '{' && text.startsWith("{@", i)) {
        int close = closingBrace(text, i);
        inlineTag(text.substring(i + 2, close), out, depth);
        i = Math.min(text.length(), close + 1);
      } else if (c == '<' && i + 1 < text.length() && startsTag(text.charAt(i + 1))) {
        i = htmlTag(text, i, out);
      } else if (c == '&') {
        i = entity(text, i, out);
      } else if (c == '[' && this == MARKDOWN) {
        i = link(text, i, out);
      } else if (c == '\n' && this == MARKDOWN && isBlankLine(text, i + 1)) {
        out.paragraph();
        i++;
      } else {
        out.append(c);
        i++;
      }
    }
  }

  private void inlineTag(String tag, PlainText out, int depth) {
    int end = 0;
    while (end < tag.length() && Character.isLetter(tag.charAt(end))) {
      end++;
    }
    String content = end < tag.length() ? tag.substring(end).stripLeading() : "";
    switch (tag.substring(0, end)) {
      case "code", "literal" -> out.append(content);
      case "link", "linkplain" -> out.append(linkText(content));
      case "snippet" -> snippet(content, out);
      case "return" -> {
        out.append("Returns ");
        nested(content, out, depth);
        out.append('.');
      }
      case "inheritDoc", "docRoot", "value", "index" -> {
        if (tag.startsWith("index")) {
          out.append(content.isEmpty() ? "" : content.split("\\s", 2)[0]);
        }
      }
      default -> nested(content, out, depth);
    }
  }

  private void nested(String content, PlainText out, int depth) {
    if (depth < MAX_DEPTH) {
      render(content, out, depth + 1);
    } else {
      out.append(content);
    }
  }

  /// `Type#member(args) label` as its label, or as `Type.member(args)`.
  static String linkText(String reference) {
    int parentheses = 0;
    for (int i = 0; i < reference.length(); i++) {
      char c = reference.charAt(i);
      parentheses += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (Character.isWhitespace(c) && parentheses <= 0) {
        String label = reference.substring(i).strip();
        return label.isEmpty() ? linkText(reference.substring(0, i)) : label;
      }
    }
    String target = reference.startsWith("#") ? reference.substring(1) : reference;
    int module = target.indexOf('/');
    return target.substring(module + 1).replace('#', '.');
  }

  private static void snippet(String content, PlainText out) {
    int colon = content.indexOf(":");
    if (colon >= 0) {
      out.paragraph();
      out.preformatted(true);
      out.append(content.substring(colon + 1).stripTrailing());
      out.preformatted(false);
      out.paragraph();
    }
  }

  private static int htmlTag(String text, int start, PlainText out) {
    int close = text.indexOf('>', start);
    if (text.startsWith("<!--", start)) {
      int comment = text.indexOf("-->", start);
      return comment < 0 ? text.length() : comment + 3;
    }
    if (close < 0 || close - start > 2000) {
      out.append('<');
      return start + 1;
    }
    int nameStart = text.charAt(start + 1) == '/' ? start + 2 : start + 1;
    int nameEnd = nameStart;
    while (nameEnd < close && Character.isLetterOrDigit(text.charAt(nameEnd))) {
      nameEnd++;
    }
    boolean opening = nameStart == start + 1;
    String name = text.substring(nameStart, nameEnd).toLowerCase(Locale.ROOT);
    if (name.equals("pre")) {
      out.paragraph();
      out.preformatted(opening);
    } else if (PARAGRAPHS.contains(name)) {
      out.paragraph();
    } else if (name.equals("li")) {
      out.line();
      if (opening) {
        out.append("- ");
      }
    } else if (LINES.contains(name)) {
      out.line();
    } else if (name.equals("td") || name.equals("th")) {
      out.append(' ');
    } else if (name.equals("sup") && opening) {
      out.append('^');
    }
    return close + 1;
  }

  private static int entity(String text, int start, PlainText out) {
    int end = text.indexOf(';', start);
    if (end < 0 || end - start > 12) {
      out.append('&');
      return start + 1;
    }
    String name = text.substring(start + 1, end);
    if (name.startsWith("#")) {
      boolean hexadecimal = name.length() > 1 && (name.charAt(1) == 'x' || name.charAt(1) == 'X');
      int codePoint = number(name.substring(hexadecimal ? 2 : 1), hexadecimal ? 16 : 10);
      if (codePoint > 0) {
        out.append(Character.toString(codePoint));
        return end + 1;
      }
    } else if (ENTITIES.containsKey(name)) {
      out.append(ENTITIES.getOrDefault(name, ""));
      return end + 1;
    }
    out.append('&');
    return start + 1;
  }

  private static int number(String digits, int radix) {
    int value = 0;
    for (int i = 0; i < digits.length(); i++) {
      int digit = Character.digit(digits.charAt(i), radix);
      if (digit < 0 || value > 0x10FFFF) {
        return -1;
      }
      value = value * radix + digit;
    }
    return value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF) ? value : -1;
  }

  /// `[label][reference]`, `[label](address)` and `[reference]` as their label.
  private static int link(String text, int start, PlainText out) {
    int close = text.indexOf(']', start);
    if (close < 0 || close - start > 300 || close == start + 1) {
      out.append('[');
      return start + 1;
    }
    String label = text.substring(start + 1, close);
    if (label.endsWith("[")) {
      label += "]";
      close = Math.min(text.length() - 1, close + 1);
    }
    char next = close + 1 < text.length() ? text.charAt(close + 1) : ' ';
    int end = close + 1;
    boolean labelled = next == '[' || next == '(';
    if (labelled) {
      int second = text.indexOf(next == '[' ? ']' : ')', close + 2);
      if (second >= 0 && second - close < 300) {
        end = second + 1;
      }
    }
    out.append(labelled ? label : linkText(label));
    return end;
  }

  private static boolean startsTag(char c) {
    return Character.isLetter(c) || c == '/' || c == '!';
  }

  private static boolean isBlankLine(String text, int start) {
    for (int i = start; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        return true;
      }
      if (c != ' ' && c != '\t') {
        return false;
      }
    }
    return true;
  }

  private static int closingBrace(String text, int open) {
    int depth = 0;
    for (int i = open; i < text.length(); i++) {
      char c = text.charAt(i);
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    return text.length();
  }
}
