package moxin.infer.constraint;

import java.util.ArrayList;
import java.util.List;
import moxin.infer.constraint.RegexNode.Anchor;
import moxin.infer.constraint.RegexNode.Choice;
import moxin.infer.constraint.RegexNode.OneOf;
import moxin.infer.constraint.RegexNode.Repeat;
import moxin.infer.constraint.RegexNode.Sequence;
import moxin.infer.constraint.RegexNode.Side;

/// Parses the regular part of `java.util.regex`: literals, classes, `.`, escapes, alternation,
/// groups, and greedy or lazy quantifiers, which mean the same where a text matches as a whole. `^`
/// and `$` may stand only at the ends of the expression or of its topmost alternatives.
final class RegexParser {
  private static final int MAX_LENGTH = 20_000;
  private static final int MAX_DEPTH = 200;
  private static final int MAX_REPEAT = 100_000;

  private static final CodePoints DIGIT = CodePoints.range('0', '9');
  private static final CodePoints SPACE = CodePoints.anyOf(" \t\n\f\r").or(CodePoints.of(0x0B));
  private static final CodePoints WORD =
      DIGIT.or(CodePoints.range('a', 'z')).or(CodePoints.range('A', 'Z')).or(CodePoints.of('_'));

  /// What `.` matches: all but line terminators.
  private static final CodePoints DOT =
      CodePoints.anyOf("\n\r").or(CodePoints.of(0x85)).or(CodePoints.range(0x2028, 0x2029)).not();

  private final String origin;
  private final int[] pattern;
  private int at;
  private int depth;

  private RegexParser(String origin, String pattern) {
    this.origin = origin;
    this.pattern = pattern.codePoints().toArray();
  }

  /// Parses `pattern` to match a text as a whole, which makes anchors empty.
  ///
  /// @param origin names the expression in errors
  /// @throws GrammarException if it is no regular expression of the supported kind
  static RegexNode parseWhole(String origin, String pattern) {
    Choice choice = new RegexParser(origin, pattern).parse();
    return new Choice(
        choice.options().stream()
            .map(option -> (RegexNode) unanchored((Sequence) option))
            .toList());
  }

  /// Parses `pattern` to be found anywhere in a text, as JSON schema has it.
  static RegexNode parseSearch(String origin, String pattern) {
    Choice choice = new RegexParser(origin, pattern).parse();
    List<RegexNode> options = new ArrayList<>();
    for (RegexNode option : choice.options()) {
      Sequence sequence = (Sequence) option;
      List<RegexNode> parts = new ArrayList<>();
      if (!sequence.parts().contains(new Anchor(Side.BEGIN))) {
        parts.add(RegexNode.ANYTHING);
      }
      parts.add(unanchored(sequence));
      if (!sequence.parts().contains(new Anchor(Side.END))) {
        parts.add(RegexNode.ANYTHING);
      }
      options.add(new Sequence(parts));
    }
    return new Choice(options);
  }

  private static Sequence unanchored(Sequence sequence) {
    return new Sequence(
        sequence.parts().stream().filter(part -> !(part instanceof Anchor)).toList());
  }

  private Choice parse() {
    if (pattern.length > MAX_LENGTH) {
      throw bad("longer than " + MAX_LENGTH + " characters");
    }
    Choice choice = choice();
    if (at < pattern.length) {
      throw bad("')' without '('");
    }
    return choice;
  }

  private Choice choice() {
    List<RegexNode> options = new ArrayList<>();
    options.add(sequence());
    while (take('|')) {
      options.add(sequence());
    }
    return new Choice(options);
  }

  private Sequence sequence() {
    List<RegexNode> parts = new ArrayList<>();
    while (at < pattern.length && peek() != '|' && peek() != ')') {
      if (take('^')) {
        if (depth > 0 || !parts.isEmpty()) {
          throw bad("'^' may stand only at the beginning");
        }
        parts.add(new Anchor(Side.BEGIN));
      } else if (take('$')) {
        if (depth > 0 || (at < pattern.length && peek() != '|')) {
          throw bad("'$' may stand only at the end");
        }
        parts.add(new Anchor(Side.END));
      } else {
        parts.add(quantified(atom()));
      }
    }
    return new Sequence(parts);
  }

  private RegexNode quantified(RegexNode atom) {
    RegexNode node = atom;
    if (take('*')) {
      node = new Repeat(atom, 0, Repeat.UNBOUNDED);
    } else if (take('+')) {
      node = new Repeat(atom, 1, Repeat.UNBOUNDED);
    } else if (take('?')) {
      node = new Repeat(atom, 0, 1);
    } else if (take('{')) {
      node = counted(atom);
    } else {
      return atom;
    }
    if (take('+')) {
      throw bad("possessive quantifiers are not supported");
    }
    if (!take('?') && at < pattern.length && "*{".indexOf(peek()) >= 0) {
      throw bad("a quantifier after a quantifier");
    }
    return node;
  }

  private Repeat counted(RegexNode atom) {
    int min = number();
    int max = min;
    if (take(',')) {
      max = at < pattern.length && peek() == '}' ? Repeat.UNBOUNDED : number();
    }
    if (!take('}')) {
      throw bad("expected '}'");
    }
    if (max != Repeat.UNBOUNDED && max < min) {
      throw bad("{" + min + "," + max + "} is empty");
    }
    return new Repeat(atom, min, max);
  }

  private int number() {
    int start = at;
    int value = 0;
    while (at < pattern.length && Character.digit(peek(), 10) >= 0 && value <= MAX_REPEAT) {
      value = value * 10 + Character.digit(next(), 10);
    }
    if (at == start || value > MAX_REPEAT) {
      throw bad("expected a count of at most " + MAX_REPEAT);
    }
    return value;
  }

  private RegexNode atom() {
    int c = next();
    return switch (c) {
      case '(' -> group();
      case '[' -> new OneOf(characterClass());
      case '.' -> new OneOf(DOT);
      case '\\' -> new OneOf(escape());
      case '*', '+', '?', '{' -> throw bad("a quantifier without anything before it");
      default -> literal(c);
    };
  }

  private OneOf literal(int c) {
    CodePoints set = CodePoints.of(c);
    if (set.isEmpty()) {
      throw bad("half a surrogate pair");
    }
    return new OneOf(set);
  }

  private RegexNode group() {
    if (take('?') && !take(':')) {
      throw bad("groups beginning with '(?' are not supported, but for '(?:'");
    }
    if (++depth > MAX_DEPTH) {
      throw bad("more than " + MAX_DEPTH + " groups in each other");
    }
    RegexNode inner = choice();
    depth--;
    if (!take(')')) {
      throw bad("'(' without ')'");
    }
    return inner;
  }

  private CodePoints characterClass() {
    boolean negated = take('^');
    CodePoints set = CodePoints.NONE;
    boolean first = true;
    while (first || at >= pattern.length || peek() != ']') {
      first = false;
      CodePoints item = classItem();
      if (at + 1 < pattern.length && peek() == '-' && pattern[at + 1] != ']') {
        at++;
        item = range(item, classItem());
      }
      set = set.or(item);
    }
    at++;
    CodePoints result = negated ? set.not() : set;
    if (result.isEmpty()) {
      throw bad("a class without characters");
    }
    return result;
  }

  private CodePoints classItem() {
    int c = next();
    if (c == '\\') {
      return escape();
    }
    if (c == '[' || c == ']' || (c == '&' && at < pattern.length && peek() == '&')) {
      throw bad("classes in classes are not supported; a literal " + (char) c + " needs a '\\'");
    }
    return literal(c).set();
  }

  private CodePoints range(CodePoints from, CodePoints to) {
    if (from.rangeCount() != 1
        || to.rangeCount() != 1
        || from.first(0) != from.last(0)
        || to.first(0) != to.last(0)
        || from.first(0) > to.first(0)) {
      throw bad("not a range of characters");
    }
    return CodePoints.range(from.first(0), to.first(0));
  }

  private CodePoints escape() {
    int c = next();
    return switch (c) {
      case 'd' -> DIGIT;
      case 'D' -> DIGIT.not();
      case 'w' -> WORD;
      case 'W' -> WORD.not();
      case 's' -> SPACE;
      case 'S' -> SPACE.not();
      case 't' -> CodePoints.of('\t');
      case 'n' -> CodePoints.of('\n');
      case 'r' -> CodePoints.of('\r');
      case 'f' -> CodePoints.of('\f');
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      default -> {
        if (c < 0x80 && Character.isLetterOrDigit(c)) {
          throw bad("the escape '\\" + (char) c + "' is not supported");
        }
        yield literal(c).set();
      }
    };
  }

  private CodePoints hex(int digits) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = Character.digit(next(), 16);
      if (digit < 0) {
        throw bad("expected " + digits + " hexadecimal digits");
      }
      value = value * 16 + digit;
    }
    return literal(value).set();
  }

  private int peek() {
    return pattern[at];
  }

  private int next() {
    if (at >= pattern.length) {
      throw bad("it ends too early");
    }
    return pattern[at++];
  }

  private boolean take(int c) {
    boolean found = at < pattern.length && pattern[at] == c;
    at += found ? 1 : 0;
    return found;
  }

  private GrammarException bad(String what) {
    return new GrammarException(origin + ", character " + at + ": " + what);
  }
}
