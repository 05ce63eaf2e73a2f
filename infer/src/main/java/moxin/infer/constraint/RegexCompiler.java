package moxin.infer.constraint;

import moxin.infer.constraint.RegexNode.Anchor;
import moxin.infer.constraint.RegexNode.Choice;
import moxin.infer.constraint.RegexNode.OneOf;
import moxin.infer.constraint.RegexNode.Repeat;
import moxin.infer.constraint.RegexNode.Sequence;

/// Puts regular expressions into automata (Thompson 1968).
final class RegexCompiler {
  private final Nfa nfa;
  private final CharacterEncoding encoding;

  RegexCompiler(Nfa nfa, CharacterEncoding encoding) {
    this.nfa = nfa;
    this.encoding = encoding;
  }

  /// Something that can be appended to an automaton: from a state, to the state where it ends.
  @FunctionalInterface
  interface Part {
    int append(int from);
  }

  /// Appends `node` behind `from` and returns where it ends.
  int append(RegexNode node, int from) {
    return switch (node) {
      case OneOf one -> {
        int to = nfa.newState();
        encoding.append(nfa, from, one.set(), to);
        yield to;
      }
      case Sequence sequence -> {
        int at = from;
        for (RegexNode part : sequence.parts()) {
          at = append(part, at);
        }
        yield at;
      }
      case Choice choice -> {
        int end = nfa.newState();
        for (RegexNode option : choice.options()) {
          int start = nfa.newState();
          nfa.epsilon(from, start);
          nfa.epsilon(append(option, start), end);
        }
        yield end;
      }
      case Repeat repeat ->
          repeat(nfa, from, repeat.min(), repeat.max(), at -> append(repeat.part(), at));
      case Anchor _ -> from;
    };
  }

  /// Appends `part` `min` to `max` times, or any number from `min` on.
  static int repeat(Nfa nfa, int from, int min, int max, Part part) {
    int at = nfa.newState();
    nfa.epsilon(from, at);
    for (int i = 0; i < min; i++) {
      at = part.append(at);
    }
    if (max == Repeat.UNBOUNDED) {
      int loop = nfa.newState();
      nfa.epsilon(at, loop);
      nfa.epsilon(part.append(loop), loop);
      int end = nfa.newState();
      nfa.epsilon(loop, end);
      return end;
    }
    int end = nfa.newState();
    for (int i = min; i < max; i++) {
      nfa.epsilon(at, end);
      at = part.append(at);
    }
    nfa.epsilon(at, end);
    return end;
  }
}
