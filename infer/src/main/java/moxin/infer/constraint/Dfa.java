package moxin.infer.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;

/// A deterministic automaton over classes of bytes and calls of rules; state 0 is the start.
/// Immutable.
///
/// @param next `(states, classes)`, the state after a byte of a class, or −1
/// @param calls by state, pairs of a rule and the state after it, each rule at most once
/// @param accepting the states in which a text may end
record Dfa(ByteClasses classes, int[] next, int[][] calls, BitSet accepting) {
  private static final int[] NO_CALLS = {};

  /// More states than this are an error.
  static final int MAX_STATES = 200_000;

  int stateCount() {
    return calls.length;
  }

  /// The deterministic form of the part of `nfa` between `start` and `end`.
  ///
  /// @throws GrammarException if it would be too large
  static Dfa of(Nfa nfa, int start, int end, ByteClasses classes) {
    return new Determinisation(nfa, end, classes).run(start);
  }

  /// The texts that this and `other` both accept; neither calls rules.
  Dfa and(Dfa other) {
    return product(other, (mine, theirs) -> mine && theirs);
  }

  /// The texts that this accepts and `other` does not; neither calls rules.
  Dfa minus(Dfa other) {
    return product(other, (mine, theirs) -> mine && !theirs);
  }

  private Dfa product(Dfa other, BiPredicate<Boolean, Boolean> accepts) {
    record Pair(int mine, int theirs) {}
    Map<Pair, Integer> numbers = new HashMap<>();
    List<Pair> pairs = new ArrayList<>(List.of(new Pair(0, 0)));
    numbers.put(pairs.getFirst(), 0);
    Rows rows = new Rows(classes.count());
    BitSet accepting = new BitSet();
    for (int state = 0; state < pairs.size(); state++) {
      Pair pair = pairs.get(state);
      boolean theirs = pair.theirs() >= 0 && other.accepting.get(pair.theirs());
      accepting.set(state, accepts.test(this.accepting.get(pair.mine()), theirs));
      rows.add();
      for (int c = 0; c < classes.count(); c++) {
        int mine = next[pair.mine() * classes.count() + c];
        if (mine >= 0) {
          int after = pair.theirs() < 0 ? -1 : other.next[pair.theirs() * classes.count() + c];
          Pair to = new Pair(mine, after);
          Integer known = numbers.putIfAbsent(to, pairs.size());
          if (known == null) {
            pairs.add(to);
            requireSize(pairs.size(), classes.count());
          }
          rows.set(state, c, numbers.getOrDefault(to, -1));
        }
      }
    }
    int[][] none = new int[pairs.size()][];
    Arrays.fill(none, NO_CALLS);
    return new Dfa(classes, rows.toArray(), none, accepting);
  }

  /// Puts a copy without calls into `nfa` behind `from` and returns where it ends.
  int copyInto(Nfa nfa, int from) {
    int end = nfa.newState();
    int[] states = new int[stateCount()];
    for (int state = 0; state < states.length; state++) {
      states[state] = nfa.newState();
    }
    nfa.epsilon(from, states[0]);
    for (int state = 0; state < states.length; state++) {
      for (int c = 0; c < classes.count(); c++) {
        int to = next[state * classes.count() + c];
        if (to >= 0) {
          nfa.bytes(states[state], classes.first(c), classes.last(c), states[to]);
        }
      }
      if (accepting.get(state)) {
        nfa.epsilon(states[state], end);
      }
    }
    return end;
  }

  private static void requireSize(long states, int classes) {
    if (states > MAX_STATES || states * classes > Rows.MAX_CELLS) {
      throw new GrammarException(
          "the grammar needs more than "
              + Math.min(MAX_STATES, Rows.MAX_CELLS / classes)
              + " states; make its counts smaller");
    }
  }

  /// A growing table of next states.
  private static final class Rows {
    static final int MAX_CELLS = 1 << 24;

    private final int width;
    private int[] cells = new int[256];
    private int size;

    Rows(int width) {
      this.width = width;
    }

    void add() {
      if (size + width > cells.length) {
        cells = Arrays.copyOf(cells, Math.max(size + width, cells.length * 2));
      }
      Arrays.fill(cells, size, size + width, -1);
      size += width;
    }

    void set(int row, int column, int value) {
      cells[row * width + column] = value;
    }

    int[] toArray() {
      return Arrays.copyOf(cells, size);
    }
  }

  /// The subset construction.
  private static final class Determinisation {
    /// More visits of states than this are an error: some automata have exponentially many subsets.
    private static final long MAX_WORK = 100_000_000;

    private final Nfa nfa;
    private final int end;
    private final ByteClasses classes;
    private final Map<Subset, Integer> numbers = new HashMap<>();
    private final List<Subset> subsets = new ArrayList<>();
    private final List<int[]> calls = new ArrayList<>();
    private final BitSet accepting = new BitSet();
    private final Rows rows;
    private final int[] seen;
    private int round;
    private long work;

    Determinisation(Nfa nfa, int end, ByteClasses classes) {
      this.nfa = nfa;
      this.end = end;
      this.classes = classes;
      this.rows = new Rows(classes.count());
      this.seen = new int[nfa.stateCount()];
    }

    /// States that matter, ascending: those with edges for bytes or calls, and the end.
    private record Subset(int[] states) {
      @Override
      public boolean equals(Object other) {
        return other instanceof Subset subset && Arrays.equals(states, subset.states);
      }

      @Override
      public int hashCode() {
        return Arrays.hashCode(states);
      }
    }

    Dfa run(int start) {
      number(closure(new int[] {start}, 1));
      int[][] targets = new int[classes.count()][8];
      int[] sizes = new int[classes.count()];
      for (int state = 0; state < subsets.size(); state++) {
        rows.add();
        Arrays.fill(sizes, 0);
        Map<Integer, List<Integer>> called = new HashMap<>();
        for (int member : subsets.get(state).states()) {
          if (member == end) {
            accepting.set(state);
          }
          for (int edge = nfa.firstEdge(member); edge >= 0; edge = nfa.nextEdge(edge)) {
            if (nfa.kind(edge) == Nfa.BYTES) {
              spread(edge, targets, sizes);
            } else if (nfa.kind(edge) >= 0) {
              called.computeIfAbsent(nfa.kind(edge), _ -> new ArrayList<>()).add(nfa.target(edge));
            }
          }
        }
        for (int c = 0; c < sizes.length; c++) {
          if (sizes[c] > 0) {
            rows.set(state, c, number(closure(targets[c], sizes[c])));
          }
        }
        calls.add(calls(called));
      }
      return new Dfa(classes, rows.toArray(), calls.toArray(int[][]::new), accepting);
    }

    private void spread(int edge, int[][] targets, int[] sizes) {
      int last = classes.of(nfa.high(edge));
      for (int c = classes.of(nfa.low(edge)); c <= last; c++) {
        if (sizes[c] == targets[c].length) {
          targets[c] = Arrays.copyOf(targets[c], sizes[c] * 2);
        }
        targets[c][sizes[c]++] = nfa.target(edge);
      }
    }

    private int[] calls(Map<Integer, List<Integer>> called) {
      int[] pairs = called.isEmpty() ? NO_CALLS : new int[2 * called.size()];
      int i = 0;
      for (Map.Entry<Integer, List<Integer>> call : called.entrySet()) {
        int[] targets = call.getValue().stream().mapToInt(target -> target).toArray();
        pairs[i++] = call.getKey();
        pairs[i++] = number(closure(targets, targets.length));
      }
      return pairs;
    }

    private Subset closure(int[] from, int count) {
      round++;
      ArrayDeque<Integer> open = new ArrayDeque<>();
      int[] members = new int[16];
      int size = 0;
      for (int i = 0; i < count; i++) {
        visit(from[i], open);
      }
      while (!open.isEmpty()) {
        int state = open.pop();
        boolean matters = state == end;
        for (int edge = nfa.firstEdge(state); edge >= 0; edge = nfa.nextEdge(edge)) {
          if (nfa.kind(edge) == Nfa.EPSILON) {
            visit(nfa.target(edge), open);
          } else {
            matters = true;
          }
        }
        if (matters) {
          if (size == members.length) {
            members = Arrays.copyOf(members, size * 2);
          }
          members[size++] = state;
        }
      }
      Arrays.sort(members, 0, size);
      return new Subset(Arrays.copyOf(members, size));
    }

    private void visit(int state, ArrayDeque<Integer> open) {
      if (seen[state] != round) {
        seen[state] = round;
        open.push(state);
        if (++work > MAX_WORK) {
          throw new GrammarException("the grammar is too ambiguous; simplify its repetitions");
        }
      }
    }

    private int number(Subset subset) {
      Integer known = numbers.putIfAbsent(subset, subsets.size());
      if (known != null) {
        return known;
      }
      subsets.add(subset);
      requireSize(subsets.size(), classes.count());
      return subsets.size() - 1;
    }
  }
}
