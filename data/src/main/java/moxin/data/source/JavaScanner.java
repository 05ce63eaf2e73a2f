package moxin.data.source;

import java.util.ArrayList;
import java.util.List;

/// Finds the comments and literals of a Java source file in one pass.
final class JavaScanner {
  private final String text;
  private final List<Span> spans = new ArrayList<>();
  private int at;

  private JavaScanner(String text) {
    this.text = text;
  }

  enum Kind {
    BLOCK_COMMENT,
    /// `/** … */`
    JAVADOC,
    LINE_COMMENT,
    /// A line comment that begins with `///`.
    MARKDOWN_LINE,
    STRING,
    CHARACTER
  }

  /// Characters `start` to `end`, delimiters included, the line feed of a line comment not.
  record Span(Kind kind, int start, int end) {}

  /// The comments and literals of `text` in order. Unclosed ones end with the text or, for plain
  /// literals, with the line.
  static List<Span> scan(String text) {
    JavaScanner scanner = new JavaScanner(text);
    scanner.run();
    return scanner.spans;
  }

  private void run() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '/' && text.startsWith("/*", at)) {
        boolean javadoc = text.startsWith("/**", at) && !text.startsWith("/**/", at);
        int close = text.indexOf("*/", at + 2);
        add(javadoc ? Kind.JAVADOC : Kind.BLOCK_COMMENT, close < 0 ? text.length() : close + 2);
      } else if (c == '/' && text.startsWith("//", at)) {
        boolean markdown = text.startsWith("///", at) && !text.startsWith("////", at);
        int close = text.indexOf('\n', at);
        add(markdown ? Kind.MARKDOWN_LINE : Kind.LINE_COMMENT, close < 0 ? text.length() : close);
      } else if (c == '"') {
        add(Kind.STRING, text.startsWith("\"\"\"", at) ? textBlockEnd() : literalEnd('"'));
      } else if (c == '\'') {
        add(Kind.CHARACTER, literalEnd('\''));
      } else {
        at++;
      }
    }
  }

  private void add(Kind kind, int end) {
    spans.add(new Span(kind, at, end));
    at = end;
  }

  private int literalEnd(char quote) {
    for (int i = at + 1; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        i++;
      } else if (c == quote) {
        return i + 1;
      } else if (c == '\n') {
        return i;
      }
    }
    return text.length();
  }

  private int textBlockEnd() {
    for (int i = at + 3; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\') {
        i++;
      } else if (c == '"' && text.startsWith("\"\"\"", i)) {
        return i + 3;
      }
    }
    return text.length();
  }
}
