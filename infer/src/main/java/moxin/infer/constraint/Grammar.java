package moxin.infer.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A language of texts as an automaton over their UTF-8 bytes with calls of rules, so that every
/// state can still reach an end. Immutable and thread-safe.
///
/// States of all rules are numbered together; rule 0 is the whole text.
public final class Grammar {
  private final int classCount;
  private final byte[] classes;
  private final int[] next;
  private final int[][] calls;
  private final boolean[] accepting;
  private final boolean[] hasBytes;
  private final int[] ruleStarts;
  private final int[] ruleOf;

  private Grammar(ByteClasses classes, List<Dfa> rules) {
    this.classCount = classes.count();
    this.classes = classes.table();
    int states = rules.stream().mapToInt(Dfa::stateCount).sum();
    next = new int[states * classCount];
    calls = new int[states][];
    accepting = new boolean[states];
    ruleOf = new int[states];
    ruleStarts = new int[rules.size()];
    int start = 0;
    for (int rule = 0; rule < rules.size(); rule++) {
      ruleStarts[rule] = start;
      add(rules.get(rule), rule, start);
      start += rules.get(rule).stateCount();
    }
    removeDeadEnds();
    hasBytes = new boolean[states];
    for (int i = 0; i < next.length; i++) {
      hasBytes[i / classCount] |= next[i] >= 0;
    }
  }

  private void add(Dfa dfa, int rule, int start) {
    for (int i = 0; i < dfa.next().length; i++) {
      next[start * classCount + i] = dfa.next()[i] < 0 ? -1 : dfa.next()[i] + start;
    }
    for (int state = 0; state < dfa.stateCount(); state++) {
      int[] shifted = dfa.calls()[state].clone();
      for (int i = 1; i < shifted.length; i += 2) {
        shifted[i] += start;
      }
      calls[start + state] = shifted;
      accepting[start + state] = dfa.accepting().get(state);
      ruleOf[start + state] = rule;
    }
  }

  /// The texts that match `pattern` as a whole.
  ///
  /// Supported are literals, classes, `.`, the escapes `\d \w \s \D \W \S \t \n \r \f`, those of
  /// two (`x`) or four (`u`) hexadecimal digits and those of punctuation, alternation, groups, `* +
  /// ? {m} {m,} {m,n}` greedy or lazy, and `^` and `$` at the ends, with the meaning that
  /// `java.util.regex` gives them without flags.
  ///
  /// @throws GrammarException if it is not of this kind or matches nothing, or is too large
  public static Grammar regex(String pattern) {
    Nfa nfa = new Nfa();
    int start = nfa.newState();
    int end =
        new RegexCompiler(nfa, CharacterEncoding.PLAIN)
            .append(RegexParser.parseWhole("regular expression", pattern), start);
    return of(List.of(new Rule(nfa, start, end)));
  }

  /// JSON texts that satisfy `schema`, with the usual white space.
  ///
  /// @throws GrammarException if it is no schema, uses what is not supported, or nothing satisfies
  ///   it
  public static Grammar jsonSchema(String schema) {
    return jsonSchema(schema, JsonSpacing.FLEXIBLE);
  }

  /// JSON texts that satisfy `schema`, see [JsonSchemaCompiler] for what is supported.
  ///
  /// @throws GrammarException if it is no schema, uses what is not supported, or nothing satisfies
  ///   it
  public static Grammar jsonSchema(String schema, JsonSpacing spacing) {
    return JsonSchemaCompiler.compile(schema, spacing);
  }

  /// Any JSON object.
  public static Grammar jsonObject(JsonSpacing spacing) {
    return jsonSchema("{\"type\":\"object\"}", spacing);
  }

  /// A rule before it is made deterministic: the part of `nfa` between two states.
  record Rule(Nfa nfa, int start, int end) {}

  /// The language of rule 0. No other rule has the empty text.
  ///
  /// @throws GrammarException if it is empty or too large
  static Grammar of(List<Rule> rules) {
    ByteClasses classes = ByteClasses.of(rules.stream().map(Rule::nfa).toList());
    List<Dfa> automata = new ArrayList<>();
    long states = 0;
    for (Rule rule : rules) {
      Dfa dfa = Dfa.of(rule.nfa(), rule.start(), rule.end(), classes);
      states += dfa.stateCount();
      if (states > Dfa.MAX_STATES) {
        throw new GrammarException(
            "the grammar needs more than " + Dfa.MAX_STATES + " states; make its counts smaller");
      }
      automata.add(dfa);
    }
    return new Grammar(classes, automata);
  }

  /// Removes edges to states that cannot reach an end.
  private void removeDeadEnds() {
    boolean[] alive = accepting.clone();
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int state = alive.length - 1; state >= 0; state--) {
        if (!alive[state] && reaches(state, alive)) {
          alive[state] = true;
          changed = true;
        }
      }
    }
    if (!alive[0]) {
      throw new GrammarException("no text satisfies the grammar");
    }
    for (int i = 0; i < next.length; i++) {
      next[i] = next[i] >= 0 && alive[next[i]] ? next[i] : -1;
    }
    for (int state = 0; state < calls.length; state++) {
      int[] pairs = calls[state];
      int size = 0;
      for (int i = 0; i < pairs.length; i += 2) {
        if (alive[ruleStarts[pairs[i]]] && alive[pairs[i + 1]]) {
          pairs[size++] = pairs[i];
          pairs[size++] = pairs[i + 1];
        }
      }
      calls[state] = Arrays.copyOf(pairs, size);
    }
  }

  private boolean reaches(int state, boolean[] alive) {
    for (int c = 0; c < classCount; c++) {
      int to = next[state * classCount + c];
      if (to >= 0 && alive[to]) {
        return true;
      }
    }
    int[] pairs = calls[state];
    for (int i = 0; i < pairs.length; i += 2) {
      if (alive[ruleStarts[pairs[i]]] && alive[pairs[i + 1]]) {
        return true;
      }
    }
    return false;
  }

  /// The number of states of all rules.
  public int stateCount() {
    return accepting.length;
  }

  int ruleCount() {
    return ruleStarts.length;
  }

  /// The state after byte `b` in `[0, 256)`, or −1.
  int next(int state, int b) {
    return next[state * classCount + (classes[b] & 0xFF)];
  }

  /// Pairs of a rule and the state after it; not to be written.
  int[] calls(int state) {
    return calls[state];
  }

  boolean isAccepting(int state) {
    return accepting[state];
  }

  /// Whether bytes are all that matters here: no rule can begin or end.
  boolean isPlain(int state) {
    return !accepting[state] && calls[state].length == 0;
  }

  /// Whether some byte can follow without a rule beginning or ending first.
  boolean hasBytes(int state) {
    return hasBytes[state];
  }

  int ruleStart(int rule) {
    return ruleStarts[rule];
  }

  int ruleOf(int state) {
    return ruleOf[state];
  }
}
