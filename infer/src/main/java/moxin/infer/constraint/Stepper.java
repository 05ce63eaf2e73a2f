package moxin.infer.constraint;

import org.jspecify.annotations.Nullable;

/// Moves positions of a grammar over bytes. Mutable scratch; for one thread.
final class Stepper {
  /// More pairs of state and stack at one place than this are an error.
  private static final int MAX_PAIRS = 10_000;

  private final Grammar grammar;

  /// The node of each rule called at the place that is worked on.
  private final @Nullable StackNode[] called;

  private final int[] calledRules;
  private int calledCount;

  Stepper(Grammar grammar) {
    this.grammar = grammar;
    this.called = new StackNode[grammar.ruleCount()];
    this.calledRules = new int[grammar.ruleCount()];
  }

  /// Makes `to` the place before the first byte of a text of `rule`, over `stack`.
  void begin(int rule, StackNode stack, Position to) {
    to.clear();
    to.add(grammar.ruleStart(rule), stack);
    close(to);
  }

  /// Makes `to`, another object than `from`, the place after byte `b`.
  void step(Position from, int b, Position to) {
    move(from, b, to);
    close(to);
  }

  /// As [#step], but what is reached without a byte is still missing.
  void move(Position from, int b, Position to) {
    to.clear();
    for (int i = 0; i < from.size(); i++) {
      int next = grammar.next(from.state(i), b);
      if (next >= 0) {
        to.add(next, from.stack(i));
      }
    }
  }

  /// Adds everything that is reached without a byte: calls, and what follows ended rules.
  void close(Position position) {
    for (int i = 0; i < position.size(); i++) {
      int state = position.state(i);
      StackNode stack = position.stack(i);
      int[] calls = grammar.calls(state);
      for (int c = 0; c < calls.length; c += 2) {
        int rule = calls[c];
        StackNode node = called[rule];
        if (node == null) {
          node = StackNode.called();
          called[rule] = node;
          calledRules[calledCount++] = rule;
          position.add(grammar.ruleStart(rule), node);
        }
        node.add(calls[c + 1], stack);
      }
      if (grammar.isAccepting(state)) {
        end(stack, position);
      }
      if (position.size() > MAX_PAIRS) {
        throw new GrammarException("the text can be read in too many ways");
      }
    }
    while (calledCount > 0) {
      called[calledRules[--calledCount]] = null;
    }
    position.compact(grammar);
  }

  private static void end(StackNode stack, Position position) {
    if (stack.ends()) {
      position.complete();
    }
    for (int i = 0; i < stack.size(); i++) {
      position.add(stack.state(i), stack.below(i));
    }
  }
}
