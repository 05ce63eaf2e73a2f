package moxin.infer.constraint;

import java.util.Arrays;

/// Where in the grammar a text may be: pairs of a state that takes bytes and the stack under it,
/// and whether the text may end here. Written by [Stepper], which also reuses it, or kept and read.
final class Position {
  private int[] states = new int[4];
  private StackNode[] stacks = new StackNode[4];
  private int size;
  private boolean complete;

  void clear() {
    size = 0;
    complete = false;
  }

  /// Adds a pair unless it is here; whether it was new.
  boolean add(int state, StackNode stack) {
    for (int i = 0; i < size; i++) {
      if (states[i] == state && stacks[i] == stack) {
        return false;
      }
    }
    if (size == states.length) {
      states = Arrays.copyOf(states, size * 2);
      stacks = Arrays.copyOf(stacks, size * 2);
    }
    states[size] = state;
    stacks[size++] = stack;
    return true;
  }

  /// Keeps the pairs whose state takes bytes; the others have been followed to such.
  void compact(Grammar grammar) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (grammar.hasBytes(states[i])) {
        states[kept] = states[i];
        stacks[kept++] = stacks[i];
      }
    }
    size = kept;
  }

  void complete() {
    complete = true;
  }

  int size() {
    return size;
  }

  int state(int i) {
    return states[i];
  }

  StackNode stack(int i) {
    return stacks[i];
  }

  /// Whether the text may end here.
  boolean isComplete() {
    return complete;
  }

  /// Whether the text so far begins one of the language.
  boolean isAlive() {
    return complete || size > 0;
  }
}
