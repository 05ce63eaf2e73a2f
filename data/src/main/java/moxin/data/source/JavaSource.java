package moxin.data.source;

import java.util.ArrayList;
import java.util.List;
import moxin.data.source.JavaScanner.Kind;
import moxin.data.source.JavaScanner.Span;

/// A Java source file taken apart.
///
/// @param header the comments before the first declaration that are no Javadoc, where licences
///   stand
/// @param code the file without header and Javadoc
/// @param comments the Javadoc comments in order
/// @param literalCharacters how many characters of `code` are string and character literals
public record JavaSource(
    String header, String code, List<Comment> comments, int literalCharacters) {

  public JavaSource {
    comments = List.copyOf(comments);
  }

  /// A Javadoc comment and what it documents.
  ///
  /// @param text the rendered comment, see [JavadocText]
  /// @param declaration the declaration that follows it on one line, without annotations; empty if
  ///   none does
  public record Comment(JavadocText text, String declaration) {}

  /// Takes `text` apart; any text gives a result.
  public static JavaSource parse(String text) {
    List<Span> spans = JavaScanner.scan(text);
    int headerEnd = headerEnd(text, spans);
    StringBuilder code = new StringBuilder(text.length());
    List<Comment> comments = new ArrayList<>();
    int literals = 0;
    int copied = headerEnd;
    for (int i = 0; i < spans.size(); i++) {
      Span span = spans.get(i);
      if (span.start() < headerEnd) {
        continue;
      }
      if (span.kind() == Kind.STRING || span.kind() == Kind.CHARACTER) {
        literals += span.end() - span.start();
      } else if (span.kind() == Kind.JAVADOC || span.kind() == Kind.MARKDOWN_LINE) {
        int last = span.kind() == Kind.JAVADOC ? i : lastLine(text, spans, i);
        int end = spans.get(last).end();
        code.append(text, copied, lineStart(text, span.start(), copied));
        copied = afterLineFeed(text, end);
        comments.add(comment(text, span, end, spans, last + 1));
        i = last;
      }
    }
    code.append(text, Math.min(copied, text.length()), text.length());
    return new JavaSource(text.substring(0, headerEnd).strip(), tidy(code), comments, literals);
  }

  private static Comment comment(String text, Span first, int end, List<Span> spans, int nextSpan) {
    String raw = text.substring(first.start(), end);
    JavadocText rendered =
        first.kind() == Kind.JAVADOC ? JavadocText.ofHtml(raw) : JavadocText.ofMarkdown(raw);
    return new Comment(rendered, Declaration.after(text, end, spans, nextSpan));
  }

  /// The end of the comments that stand before anything else and are no Javadoc of a declaration: a
  /// Javadoc comment right at the top that is followed by `package` or `import` is a header too,
  /// unless the file is a description of its package.
  private static int headerEnd(String text, List<Span> spans) {
    int end = 0;
    for (Span span : spans) {
      if (!text.substring(end, span.start()).isBlank()) {
        break;
      }
      if (span.kind() == Kind.JAVADOC
          && !Licences.mentionsLicence(text.substring(span.start(), span.end()))) {
        break;
      }
      if (span.kind() == Kind.MARKDOWN_LINE
          || span.kind() == Kind.STRING
          || span.kind() == Kind.CHARACTER) {
        break;
      }
      end = span.end();
    }
    return end;
  }

  /// The last of the `///` lines that follow each other.
  private static int lastLine(String text, List<Span> spans, int first) {
    int last = first;
    while (last + 1 < spans.size()
        && spans.get(last + 1).kind() == Kind.MARKDOWN_LINE
        && isOneLineFeed(text, spans.get(last), spans.get(last + 1))) {
      last++;
    }
    return last;
  }

  private static boolean isOneLineFeed(String text, Span before, Span after) {
    int lineFeeds = 0;
    for (int i = before.end(); i < after.start(); i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        lineFeeds++;
      } else if (c != ' ' && c != '\t') {
        return false;
      }
    }
    return lineFeeds == 1;
  }

  private static int lineStart(String text, int start, int floor) {
    int i = start;
    while (i > floor && (text.charAt(i - 1) == ' ' || text.charAt(i - 1) == '\t')) {
      i--;
    }
    return i > floor && text.charAt(i - 1) != '\n' ? start : i;
  }

  private static int afterLineFeed(String text, int end) {
    int i = end;
    while (i < text.length() && (text.charAt(i) == ' ' || text.charAt(i) == '\t')) {
      i++;
    }
    return i < text.length() && text.charAt(i) == '\n' ? i + 1 : end;
  }

  /// Strips trailing white space and runs of more than one empty line.
  private static String tidy(CharSequence code) {
    StringBuilder out = new StringBuilder(code.length());
    int emptyLines = 0;
    for (int i = 0; i < code.length(); i++) {
      char c = code.charAt(i);
      if (c == '\n') {
        int end = out.length();
        while (end > 0 && (out.charAt(end - 1) == ' ' || out.charAt(end - 1) == '\t')) {
          end--;
        }
        out.setLength(end);
        boolean empty = end == 0 || out.charAt(end - 1) == '\n';
        emptyLines = empty ? emptyLines + 1 : 0;
        if (emptyLines > 1 || end == 0) {
          continue;
        }
      }
      out.append(c);
    }
    String text = out.toString().strip();
    return text.isEmpty() ? text : text + "\n";
  }
}
