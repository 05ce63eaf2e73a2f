package moxin.train.report;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/// Grows a page of HTML that is well-formed XML too. Every text and attribute value is escaped.
final class Markup {
  /// Elements after which a line break could be seen.
  private static final Set<String> INLINE = Set.of("span", "mark", "strong");

  private final StringBuilder out = new StringBuilder("<!DOCTYPE html>\n");
  private final Deque<String> open = new ArrayDeque<>();

  /// Opens an element; attributes are names and values in turn.
  Markup open(String tag, String... attributes) {
    start(tag, attributes);
    out.append('>');
    open.push(tag);
    return this;
  }

  /// Closes the element opened last.
  Markup close() {
    return end(open.pop());
  }

  /// An element with nothing but text in it.
  Markup leaf(String tag, String text, String... attributes) {
    start(tag, attributes);
    out.append('>');
    escape(text);
    return end(tag);
  }

  /// An element without content.
  Markup empty(String tag, String... attributes) {
    start(tag, attributes);
    out.append("/>\n");
    return this;
  }

  Markup text(String text) {
    escape(text);
    return this;
  }

  /// The stylesheet, which needs no escaping.
  Markup style(String css) {
    if (css.contains("<") || css.contains("&")) {
      throw new IllegalArgumentException("a stylesheet in a page has no < and no &");
    }
    out.append("<style>\n").append(css).append("</style>\n");
    return this;
  }

  /// A section with its heading, left open.
  Markup section(String title) {
    return open("section").leaf("h2", title);
  }

  /// Begins a table that scrolls by itself where it is wider than the page; ends with two closes.
  /// Headings that begin with `#` stand over numbers.
  Markup table(String... headings) {
    open("div", "class", "scroll").open("table").open("thead").open("tr");
    for (String heading : headings) {
      if (heading.startsWith("#")) {
        leaf("th", heading.substring(1), "class", "number");
      } else {
        leaf("th", heading);
      }
    }
    return close().close();
  }

  @Override
  public String toString() {
    if (!open.isEmpty()) {
      throw new IllegalStateException("still open: " + open);
    }
    return out.toString();
  }

  private Markup end(String tag) {
    out.append("</").append(tag).append('>');
    if (!INLINE.contains(tag)) {
      out.append('\n');
    }
    return this;
  }

  private void start(String tag, String... attributes) {
    out.append('<').append(tag);
    for (int i = 0; i < attributes.length; i += 2) {
      out.append(' ').append(attributes[i]).append("=\"");
      escape(attributes[i + 1]);
      out.append('"');
    }
  }

  private void escape(String text) {
    text.codePoints()
        .forEach(
            point -> {
              switch (point) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                default -> out.appendCodePoint(isShown(point) ? point : 0xfffd);
              }
            });
  }

  /// Whether XML and HTML allow a character.
  private static boolean isShown(int point) {
    boolean control = point < 0x20 && point != '\n' && point != '\t' && point != '\r';
    boolean surrogate = point >= 0xd800 && point <= 0xdfff;
    return !control
        && !surrogate
        && !(point >= 0x7f && point <= 0x9f)
        && (point & 0xfffe) != 0xfffe;
  }
}
