package moxin.infer.constraint;

/// The white space between the parts of a JSON text.
public enum JsonSpacing {
  /// None: `{"a":1,"b":[2,3]}`.
  COMPACT,
  /// One space behind commas and colons, as Python writes it: `{"a": 1, "b": [2, 3]}`.
  SPACED,
  /// The model's choice: behind a colon nothing or a space; behind a comma and inside brackets
  /// nothing, a space, or a new line with at most 16 spaces or tabs. So bounded, white space cannot
  /// go on for ever.
  FLEXIBLE;

  private static final int MAX_INDENT = 16;

  int afterColon(Nfa nfa, int from) {
    int spaced = from;
    if (this != COMPACT) {
      spaced = nfa.literal(from, new byte[] {' '});
    }
    if (this == FLEXIBLE) {
      nfa.epsilon(from, spaced);
    }
    return spaced;
  }

  int afterComma(Nfa nfa, int from) {
    return this == SPACED ? nfa.literal(from, new byte[] {' '}) : insideBrackets(nfa, from);
  }

  int insideBrackets(Nfa nfa, int from) {
    if (this != FLEXIBLE) {
      return from;
    }
    int end = nfa.newState();
    nfa.epsilon(from, end);
    nfa.bytes(from, ' ', ' ', end);
    int at = nfa.newState();
    nfa.bytes(from, '\n', '\n', at);
    for (int i = 0; i < MAX_INDENT; i++) {
      nfa.epsilon(at, end);
      int next = nfa.newState();
      nfa.bytes(at, ' ', ' ', next);
      nfa.bytes(at, '\t', '\t', next);
      at = next;
    }
    nfa.epsilon(at, end);
    return end;
  }
}
