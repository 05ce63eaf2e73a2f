package moxin.infer.constraint;

import java.util.Arrays;
import moxin.infer.constraint.TokenVocabulary.Place;

/// Finds what a state allows by walking the trie of all tokens. Mutable scratch; for one thread.
///
/// Beside the position inside the state's rule, the walk carries where the text may be if the rule
/// has ended in the middle of the token, with any stack that the grammar makes possible. A token
/// that only survives there depends on the stack.
final class MaskCompiler {
  private final Grammar grammar;
  private final TokenVocabulary vocabulary;
  private final StackNode[] contexts;
  private final Stepper stepper;
  private final StackNode bottom = StackNode.bottom();
  private final Position root = new Position();

  /// By depth: the state, if it is plain and all there is, and its stack; otherwise −1 and the
  /// positions count.
  private int[] plain = {};

  private StackNode[] stacks = {};

  private Position[] inside = {};
  private Position[] beyond = {};

  private long[] bits = {};
  private int[] dependent = new int[64];
  private int dependentCount;
  private int allowedCount;

  MaskCompiler(Grammar grammar, TokenVocabulary vocabulary, StackNode[] contexts) {
    this.grammar = grammar;
    this.vocabulary = vocabulary;
    this.contexts = contexts;
    this.stepper = new Stepper(grammar);
  }

  /// By rule, every stack that it can be called on.
  static StackNode[] contexts(Grammar grammar) {
    StackNode[] contexts = new StackNode[grammar.ruleCount()];
    for (int rule = 0; rule < contexts.length; rule++) {
      contexts[rule] = rule == 0 ? StackNode.bottom() : StackNode.called();
    }
    for (int state = 0; state < grammar.stateCount(); state++) {
      int[] calls = grammar.calls(state);
      for (int i = 0; i < calls.length; i += 2) {
        contexts[calls[i]].add(calls[i + 1], contexts[grammar.ruleOf(state)]);
      }
    }
    return contexts;
  }

  /// What may follow in `state`.
  StateMask compile(int state, Place place) {
    TokenTrie trie = vocabulary.trie(place);
    prepare(trie);
    StackNode context = contexts[grammar.ruleOf(state)];
    plain[0] = state;
    stacks[0] = bottom;
    int node = 0;
    while (node < trie.nodeCount()) {
      int depth = trie.depth(node);
      int b = trie.nodeByte(node);
      int before = plain[depth - 1];
      int after = before < 0 ? -1 : grammar.next(before, b);
      if (after >= 0 && grammar.isPlain(after)) {
        plain[depth] = after;
        stacks[depth] = stacks[depth - 1];
        allow(trie, node);
        node++;
      } else if (before >= 0 && after < 0) {
        node = trie.skip(node);
      } else {
        node = walk(trie, node, after, context);
      }
    }
    return result();
  }

  /// The slow way through `node`: rules begin or end here.
  private int walk(TokenTrie trie, int node, int after, StackNode context) {
    int depth = trie.depth(node);
    Position in = inside[depth];
    Position out = beyond[depth];
    if (after >= 0) {
      in.clear();
      in.add(after, stacks[depth - 1]);
      out.clear();
    } else {
      stepper.move(inside[depth - 1], trie.nodeByte(node), in);
      stepper.move(beyond[depth - 1], trie.nodeByte(node), out);
    }
    stepper.close(in);
    if (in.isComplete()) {
      for (int i = 0; i < context.size(); i++) {
        out.add(context.state(i), context.below(i));
      }
    }
    stepper.close(out);
    if (in.isAlive()) {
      allow(trie, node);
    } else if (out.isAlive()) {
      depend(trie, node);
    } else {
      return trie.skip(node);
    }
    boolean simple = in.size() == 1 && !out.isAlive() && grammar.isPlain(in.state(0));
    plain[depth] = simple ? in.state(0) : -1;
    stacks[depth] = simple ? in.stack(0) : bottom;
    return node + 1;
  }

  private void prepare(TokenTrie trie) {
    if (plain.length <= trie.maxDepth()) {
      plain = new int[trie.maxDepth() + 1];
      stacks = new StackNode[trie.maxDepth() + 1];
      inside = new Position[trie.maxDepth() + 1];
      beyond = new Position[trie.maxDepth() + 1];
      Arrays.setAll(inside, _ -> new Position());
      Arrays.setAll(beyond, _ -> new Position());
    }
    bits = new long[vocabulary.maskWords()];
    dependentCount = 0;
    allowedCount = 0;
  }

  private void allow(TokenTrie trie, int node) {
    int end = trie.endToken(node);
    for (int i = trie.firstToken(node); i < end; i++) {
      int id = trie.id(i);
      bits[id >>> 6] |= 1L << id;
      allowedCount++;
    }
  }

  private void depend(TokenTrie trie, int node) {
    int end = trie.endToken(node);
    for (int i = trie.firstToken(node); i < end; i++) {
      if (dependentCount == dependent.length) {
        dependent = Arrays.copyOf(dependent, dependentCount * 2);
      }
      dependent[dependentCount++] = i;
    }
  }

  private StateMask result() {
    int[] depending = Arrays.copyOf(dependent, dependentCount);
    if (allowedCount > bits.length) {
      return new StateMask(bits, new int[0], depending);
    }
    int[] ids = new int[allowedCount];
    int size = 0;
    for (int w = 0; w < bits.length; w++) {
      for (long word = bits[w]; word != 0; word &= word - 1) {
        ids[size++] = w * Long.SIZE + Long.numberOfTrailingZeros(word);
      }
    }
    return new StateMask(new long[0], ids, depending);
  }

  /// Adds to `mask` those tokens of `candidates` that can follow in `state` over `stack`.
  void addDependent(int state, StackNode stack, int[] candidates, Place place, long[] mask) {
    TokenTrie trie = vocabulary.trie(place);
    if (inside.length <= trie.maxDepth()) {
      prepare(trie);
    }
    root.clear();
    root.add(state, stack);
    byte[] previous = {};
    int reached = 0;
    for (int token : candidates) {
      byte[] text = trie.bytes(token);
      reached = Math.min(reached, common(previous, text));
      previous = text;
      Position at = reached == 0 ? root : inside[reached];
      while (reached < text.length && at.isAlive()) {
        Position to = inside[reached + 1];
        stepper.step(at, text[reached++] & 0xFF, to);
        at = to;
      }
      if (reached == text.length && at.isAlive()) {
        int id = trie.id(token);
        mask[id >>> 6] |= 1L << id;
      }
    }
  }

  private static int common(byte[] a, byte[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }
}
