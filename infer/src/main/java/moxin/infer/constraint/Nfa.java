package moxin.infer.constraint;

import java.util.Arrays;

/// A nondeterministic automaton under construction: edges for ranges of bytes, for nothing, and for
/// calls of rules. Mutable.
final class Nfa {
  /// The kind of an edge that needs no input.
  static final int EPSILON = -1;

  /// The kind of an edge for bytes.
  static final int BYTES = -2;

  /// More edges than this are an error.
  private static final int MAX_EDGES = 2_000_000;

  private int[] firstEdge = new int[64];
  private int states;
  private int[] nextEdge = new int[64];
  private int[] kind = new int[64];
  private int[] low = new int[64];
  private int[] high = new int[64];
  private int[] target = new int[64];
  private int edges;

  int newState() {
    if (states == firstEdge.length) {
      firstEdge = Arrays.copyOf(firstEdge, states * 2);
    }
    firstEdge[states] = -1;
    return states++;
  }

  int stateCount() {
    return states;
  }

  void epsilon(int from, int to) {
    edge(from, EPSILON, 0, 0, to);
  }

  /// An edge for the bytes `first` to `last`, both included, in `[0, 256)`.
  void bytes(int from, int first, int last, int to) {
    edge(from, BYTES, first, last, to);
  }

  /// An edge that goes on at `to` after a text of rule `rule`.
  void call(int from, int rule, int to) {
    edge(from, rule, 0, 0, to);
  }

  /// The bytes of `text`, one after the other; returns where they end.
  int literal(int from, byte[] text) {
    int at = from;
    for (byte b : text) {
      int next = newState();
      bytes(at, b & 0xFF, b & 0xFF, next);
      at = next;
    }
    return at;
  }

  private void edge(int from, int kind, int first, int last, int to) {
    if (edges == MAX_EDGES) {
      throw new GrammarException(
          "the grammar needs more than " + MAX_EDGES + " edges; make its counts smaller");
    }
    if (edges == nextEdge.length) {
      nextEdge = Arrays.copyOf(nextEdge, edges * 2);
      this.kind = Arrays.copyOf(this.kind, edges * 2);
      low = Arrays.copyOf(low, edges * 2);
      high = Arrays.copyOf(high, edges * 2);
      target = Arrays.copyOf(target, edges * 2);
    }
    nextEdge[edges] = firstEdge[from];
    this.kind[edges] = kind;
    low[edges] = first;
    high[edges] = last;
    target[edges] = to;
    firstEdge[from] = edges++;
  }

  /// The first edge of `state`, or −1.
  int firstEdge(int state) {
    return firstEdge[state];
  }

  /// The edge after `edge` of the same state, or −1.
  int nextEdge(int edge) {
    return nextEdge[edge];
  }

  /// [#EPSILON], [#BYTES], or the rule that is called.
  int kind(int edge) {
    return kind[edge];
  }

  int low(int edge) {
    return low[edge];
  }

  int high(int edge) {
    return high[edge];
  }

  int target(int edge) {
    return target[edge];
  }

  int edgeCount() {
    return edges;
  }
}
