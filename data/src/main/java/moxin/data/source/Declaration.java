package moxin.data.source;

import java.util.List;
import java.util.Set;
import moxin.data.source.JavaScanner.Kind;
import moxin.data.source.JavaScanner.Span;

/// Reads the declaration behind a Javadoc comment.
final class Declaration {
  private static final int MAX_CHARACTERS = 600;
  private static final Set<String> MODIFIERS =
      Set.of(
          "public",
          "protected",
          "private",
          "static",
          "final",
          "abstract",
          "default",
          "native",
          "synchronized",
          "strictfp",
          "transient",
          "volatile",
          "sealed",
          "non-sealed");

  private Declaration() {}

  /// The declaration that begins at `start`, up to its body, semicolon or initial value, on one
  /// line without annotations and comments.
  static String after(String text, int start, List<Span> spans, int nextSpan) {
    StringBuilder out = new StringBuilder();
    int depth = 0;
    int annotationDepth = 0;
    int span = nextSpan;
    int limit = Math.min(text.length(), start + 4 * MAX_CHARACTERS);
    for (int i = start; i < limit && out.length() < MAX_CHARACTERS; i++) {
      if (span < spans.size() && spans.get(span).start() == i) {
        Span literal = spans.get(span++);
        if (literal.kind() == Kind.JAVADOC || literal.kind() == Kind.MARKDOWN_LINE) {
          break;
        }
        i = literal.end() - 1;
        continue;
      }
      char c = text.charAt(i);
      if (annotationDepth > 0) {
        annotationDepth += c == '(' ? 1 : c == ')' ? -1 : 0;
      } else if (c == '@' && !text.startsWith("@interface", i)) {
        i = annotationName(text, i + 1, limit) - 1;
        if (i + 1 < limit && text.charAt(i + 1) == '(') {
          annotationDepth = 1;
          i++;
        }
      } else if (depth == 0 && (c == '{' || c == ';' || c == '=' || c == '}')) {
        break;
      } else {
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        append(out, c);
      }
    }
    return out.toString().strip();
  }

  /// `declaration` without modifiers and without what it throws.
  static String withoutModifiers(String declaration) {
    String rest = declaration;
    for (int space = rest.indexOf(' ');
        space > 0 && MODIFIERS.contains(rest.substring(0, space));
        space = rest.indexOf(' ')) {
      rest = rest.substring(space + 1);
    }
    int throwsClause = rest.lastIndexOf(") throws ");
    return throwsClause < 0 ? rest : rest.substring(0, throwsClause + 1);
  }

  /// Whether `declaration`, without modifiers, is that of a method or constructor.
  static boolean isMethod(String declaration) {
    int open = declaration.indexOf('(');
    return open > 0
        && declaration.endsWith(")")
        && Character.isJavaIdentifierPart(declaration.charAt(open - 1))
        && !declaration.startsWith("record ")
        && declaration.lastIndexOf(' ', open) >= 0;
  }

  private static int annotationName(String text, int start, int limit) {
    int i = start;
    while (i < limit && (Character.isJavaIdentifierPart(text.charAt(i)) || text.charAt(i) == '.')) {
      i++;
    }
    int next = i;
    while (next < limit && text.charAt(next) == ' ') {
      next++;
    }
    return next < limit && text.charAt(next) == '(' ? next : i;
  }

  private static void append(StringBuilder out, char c) {
    boolean space = Character.isWhitespace(c);
    char last = out.isEmpty() ? ' ' : out.charAt(out.length() - 1);
    if (!space) {
      if (last == ' ' && (c == ')' || c == ',') && out.length() > 1) {
        out.setLength(out.length() - 1);
      }
      out.append(c);
    } else if (last != ' ' && last != '(') {
      out.append(' ');
    }
  }
}
