package moxin.infer.constraint;

import java.util.Arrays;

/// What follows when a rule has been read: a node of a graph-structured stack (Tomita 1985). All
/// calls of a rule at the same place of the text share one node, so that ambiguous grammars stay
/// polynomial. Written while its place is worked on, immutable from then on.
final class StackNode {
  private static final StackNode[] NONE = {};

  private final boolean ends;
  private int[] states = {};
  private StackNode[] below = NONE;
  private int size;

  private StackNode(boolean ends) {
    this.ends = ends;
  }

  /// Nothing is below: the rule that ends here ends the text.
  static StackNode bottom() {
    return new StackNode(true);
  }

  /// A rule that was called.
  static StackNode called() {
    return new StackNode(false);
  }

  /// Adds that reading may go on in `state` over `node`.
  void add(int state, StackNode node) {
    for (int i = 0; i < size; i++) {
      if (states[i] == state && below[i] == node) {
        return;
      }
    }
    if (size == states.length) {
      states = Arrays.copyOf(states, size + 1);
      below = Arrays.copyOf(below, size + 1);
    }
    states[size] = state;
    below[size++] = node;
  }

  /// Whether the text may end where the rule ends.
  boolean ends() {
    return ends;
  }

  int size() {
    return size;
  }

  int state(int i) {
    return states[i];
  }

  StackNode below(int i) {
    return below[i];
  }
}
