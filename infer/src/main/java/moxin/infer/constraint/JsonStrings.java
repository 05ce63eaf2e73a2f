package moxin.infer.constraint;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// Puts JSON strings into an automaton.
final class JsonStrings {
  /// Escapes that strings may use though they need not: a slash, and UTF-16 in hexadecimal digits,
  /// surrogates only in pairs.
  private static final RegexNode FREE_ESCAPE =
      RegexParser.parseWhole(
          "string",
          "\\\\(?:/|u(?:[0-9a-cefA-CEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
              + "|[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}))");

  private static final String DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])";
  private static final String TIME =
      "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
          + "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";

  private static final Map<String, String> FORMATS =
      Map.of(
          "date",
          DATE,
          "time",
          TIME,
          "date-time",
          DATE + "T" + TIME,
          "uuid",
          "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");

  private final Nfa nfa;

  JsonStrings(Nfa nfa) {
    this.nfa = nfa;
  }

  /// Strings that satisfy `schema`, in quotes; returns where they end.
  int string(SchemaNode schema, int from) {
    int content = quote(from);
    int min = schema.count("minLength").orElse(0);
    OptionalInt max = schema.count("maxLength");
    if (max.isPresent() && max.getAsInt() < min) {
      throw schema.bad("minLength is above maxLength");
    }
    List<RegexNode> patterns = new ArrayList<>();
    schema
        .text("pattern")
        .map(
            pattern ->
                RegexParser.parseSearch("JSON schema at " + schema.pointer() + "/pattern", pattern))
        .ifPresent(patterns::add);
    schema.text("format").map(format -> format(schema, format)).ifPresent(patterns::add);
    int most = max.orElse(RegexNode.Repeat.UNBOUNDED);
    if (patterns.isEmpty()) {
      return quote(RegexCompiler.repeat(nfa, content, min, most, this::character));
    }
    if (min > 0 || max.isPresent()) {
      patterns.add(new RegexNode.Repeat(new RegexNode.OneOf(CodePoints.ALL), min, most));
    }
    if (patterns.size() == 1) {
      return quote(
          new RegexCompiler(nfa, CharacterEncoding.JSON_STRING)
              .append(patterns.getFirst(), content));
    }
    List<Dfa> automata = automata(patterns);
    return quote(automata.stream().reduce(Dfa::and).orElseThrow().copyInto(nfa, content));
  }

  private static RegexNode format(SchemaNode schema, String format) {
    String pattern = FORMATS.get(format);
    if (pattern == null) {
      throw schema.bad("the format '" + format + "' is not supported");
    }
    return RegexParser.parseWhole("format", pattern);
  }

  /// One character in any of its forms.
  private int character(int from) {
    int to = nfa.newState();
    CharacterEncoding.JSON_STRING.append(nfa, from, CodePoints.ALL, to);
    nfa.epsilon(new RegexCompiler(nfa, CharacterEncoding.PLAIN).append(FREE_ESCAPE, from), to);
    return to;
  }

  private int quote(int from) {
    return nfa.literal(from, new byte[] {'"'});
  }

  /// The string `text`, in quotes.
  int literal(String text, int from) {
    return quote(
        new RegexCompiler(nfa, CharacterEncoding.JSON_STRING).append(exactly(text), quote(from)));
  }

  /// Any string but `names`, in quotes. With names, each character has one form, so that no escape
  /// can spell a name.
  int anyBut(List<String> names, int from) {
    if (names.isEmpty()) {
      return quote(
          RegexCompiler.repeat(nfa, quote(from), 0, RegexNode.Repeat.UNBOUNDED, this::character));
    }
    RegexNode named = new RegexNode.Choice(names.stream().map(JsonStrings::exactly).toList());
    List<Dfa> automata = automata(List.of(RegexNode.ANYTHING, named));
    return quote(automata.getFirst().minus(automata.getLast()).copyInto(nfa, quote(from)));
  }

  /// Any string that matches `patterns` number `chosen` and none of the others, and is none of
  /// `names`, in quotes; `chosen` −1 for one that matches none. Each character has one form.
  int matchingOnly(int chosen, List<RegexNode> patterns, List<String> names, int from) {
    List<RegexNode> all = new ArrayList<>();
    all.add(chosen < 0 ? RegexNode.ANYTHING : patterns.get(chosen));
    all.add(new RegexNode.Choice(names.stream().map(JsonStrings::exactly).toList()));
    for (int i = 0; i < patterns.size(); i++) {
      if (i != chosen) {
        all.add(patterns.get(i));
      }
    }
    List<Dfa> automata = automata(all);
    Dfa result = automata.getFirst();
    for (Dfa other : automata.subList(1, automata.size())) {
      result = result.minus(other);
    }
    return quote(result.copyInto(nfa, quote(from)));
  }

  /// A pattern of `patternProperties`, which may match anywhere in a name.
  static RegexNode search(String pattern, String pointer) {
    return RegexParser.parseSearch("JSON schema at " + pointer, pattern);
  }

  /// Whether `name` matches the pattern at `pointer`.
  static boolean matches(String pattern, String pointer, String name) {
    List<Dfa> automata = automata(List.of(search(pattern, pointer), exactly(name)));
    return !automata.getFirst().and(automata.getLast()).accepting().isEmpty();
  }

  private static RegexNode exactly(String text) {
    return new RegexNode.Sequence(
        text.codePoints()
            .mapToObj(c -> (RegexNode) new RegexNode.OneOf(CodePoints.of(c)))
            .toList());
  }

  /// Deterministic automata over the same classes of bytes.
  private static List<Dfa> automata(List<RegexNode> patterns) {
    List<Nfa> automata = new ArrayList<>();
    List<Integer> ends = new ArrayList<>();
    for (RegexNode pattern : patterns) {
      Nfa nfa = new Nfa();
      int start = nfa.newState();
      ends.add(new RegexCompiler(nfa, CharacterEncoding.JSON_STRING).append(pattern, start));
      automata.add(nfa);
    }
    ByteClasses classes = ByteClasses.of(automata);
    List<Dfa> result = new ArrayList<>();
    for (int i = 0; i < automata.size(); i++) {
      result.add(Dfa.of(automata.get(i), 0, ends.get(i), classes));
    }
    return result;
  }
}
