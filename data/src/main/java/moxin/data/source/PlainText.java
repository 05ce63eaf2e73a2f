package moxin.data.source;

/// Collects plain text, joining lines inside paragraphs and keeping preformatted ones.
final class PlainText {
  private final StringBuilder out = new StringBuilder();
  private boolean preformatted;
  private boolean space;

  void append(char c) {
    if (preformatted) {
      out.append(c);
    } else if (Character.isWhitespace(c)) {
      space = true;
    } else {
      if (space && !out.isEmpty() && !atLineStart()) {
        out.append(' ');
      }
      space = false;
      out.append(c);
    }
  }

  void append(String text) {
    for (int i = 0; i < text.length(); i++) {
      append(text.charAt(i));
    }
  }

  /// Begins a new line unless one has begun.
  void line() {
    trim();
    if (!out.isEmpty() && !atLineStart()) {
      out.append('\n');
    }
    space = false;
  }

  /// Begins a new paragraph unless one has begun.
  void paragraph() {
    line();
    if (out.length() > 1 && out.charAt(out.length() - 2) != '\n') {
      out.append('\n');
    }
  }

  void preformatted(boolean on) {
    preformatted = on;
    space = false;
  }

  private boolean atLineStart() {
    return !out.isEmpty() && out.charAt(out.length() - 1) == '\n';
  }

  private void trim() {
    int end = out.length();
    while (end > 0 && (out.charAt(end - 1) == ' ' || out.charAt(end - 1) == '\t')) {
      end--;
    }
    out.setLength(end);
  }

  @Override
  public String toString() {
    return out.toString().strip();
  }
}
