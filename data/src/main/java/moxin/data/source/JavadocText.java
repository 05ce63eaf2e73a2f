package moxin.data.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A Javadoc comment as plain text: inline tags resolved, HTML and entities gone.
///
/// @param description the main description, paragraphs separated by empty lines
/// @param tags the block tags that say something in words, as sentences such as `Returns: the
///   size`; `@see`, `@since` and the like are left out
public record JavadocText(String description, List<String> tags) {
  private static final Map<String, String> TAGS =
      Map.of(
          "param", "Parameter ",
          "return", "Returns: ",
          "throws", "Throws ",
          "exception", "Throws ",
          "apiNote", "",
          "implSpec", "",
          "implNote", "",
          "deprecated", "Deprecated: ");

  public JavadocText {
    tags = List.copyOf(tags);
  }

  /// Renders a `/** … */` comment.
  static JavadocText ofHtml(String comment) {
    StringBuilder body = new StringBuilder(comment.length());
    int end =
        comment.endsWith("*/") && comment.length() >= 5 ? comment.length() - 2 : comment.length();
    comment
        .substring(Math.min(3, end), end)
        .lines()
        .forEach(line -> body.append(withoutStars(line)).append('\n'));
    return render(body.toString(), JavadocMarkup.HTML);
  }

  /// Renders a run of `///` lines.
  static JavadocText ofMarkdown(String comment) {
    StringBuilder body = new StringBuilder(comment.length());
    comment
        .lines()
        .forEach(
            line -> {
              String content = line.strip();
              body.append(content.substring(Math.min(3, content.length()))).append('\n');
            });
    return render(body.toString(), JavadocMarkup.MARKDOWN);
  }

  /// The first sentence of the description on one line; empty if there is none.
  public String firstSentence() {
    int paragraph = description.indexOf("\n\n");
    String first = paragraph < 0 ? description : description.substring(0, paragraph);
    String line = first.replaceAll("\\s+", " ").strip();
    for (int i = line.indexOf(". "); i >= 0; i = line.indexOf(". ", i + 1)) {
      if (!line.startsWith("e.g.", i - 3) && !line.startsWith("i.e.", i - 3)) {
        return line.substring(0, i + 1);
      }
    }
    return line;
  }

  /// Description and tags as one text.
  public String text() {
    StringBuilder out = new StringBuilder(description);
    for (String tag : tags) {
      out.append(out.isEmpty() ? "" : "\n").append(tag);
    }
    return out.toString();
  }

  private static JavadocText render(String body, JavadocMarkup markup) {
    List<StringBuilder> blocks = new ArrayList<>();
    blocks.add(new StringBuilder());
    int braces = 0;
    for (String line : body.lines().toList()) {
      String stripped = line.stripLeading();
      if (braces <= 0
          && stripped.length() > 1
          && stripped.charAt(0) == '@'
          && Character.isLetter(stripped.charAt(1))) {
        blocks.add(new StringBuilder(stripped).append('\n'));
        braces = 0;
      } else {
        blocks.getLast().append(line).append('\n');
      }
      braces += inlineTagBalance(line, braces > 0);
    }
    List<String> tags = new ArrayList<>();
    for (StringBuilder block : blocks.subList(1, blocks.size())) {
      String tag = tag(block.toString().strip(), markup);
      if (!tag.isEmpty()) {
        tags.add(tag);
      }
    }
    return new JavadocText(markup.plain(blocks.getFirst().toString()), tags);
  }

  /// How many braces `line` opens more than it closes, counted from the first inline tag on.
  private static int inlineTagBalance(String line, boolean inside) {
    int balance = 0;
    boolean counting = inside;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '{' && (counting || line.startsWith("{@", i))) {
        counting = true;
        balance++;
      } else if (c == '}' && counting) {
        balance--;
      }
    }
    return balance;
  }

  private static String tag(String block, JavadocMarkup markup) {
    int end = 1;
    while (end < block.length() && Character.isLetter(block.charAt(end))) {
      end++;
    }
    String name = block.substring(1, end);
    String start = TAGS.get(name);
    String content = block.substring(end).strip();
    if (start == null || content.isEmpty()) {
      return "";
    }
    if (name.equals("param") || start.equals("Throws ")) {
      int space = 0;
      while (space < content.length() && !Character.isWhitespace(content.charAt(space))) {
        space++;
      }
      String text = markup.plain(content.substring(space));
      return text.isEmpty() ? "" : start + content.substring(0, space) + ": " + text;
    }
    String text = markup.plain(content);
    return text.isEmpty() ? "" : start + text;
  }

  private static String withoutStars(String line) {
    int i = 0;
    while (i < line.length() && (line.charAt(i) == ' ' || line.charAt(i) == '\t')) {
      i++;
    }
    if (i == line.length() || line.charAt(i) != '*') {
      return line;
    }
    while (i < line.length() && line.charAt(i) == '*') {
      i++;
    }
    return line.substring(i);
  }
}
