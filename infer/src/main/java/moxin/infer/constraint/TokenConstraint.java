package moxin.infer.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import moxin.infer.constraint.TokenVocabulary.Place;

/// A grammar seen through a vocabulary: which tokens keep a text completable. Immutable and
/// thread-safe; what it has found out about a state is kept, within a bound, for all generations.
public final class TokenConstraint {
  /// How many masks are kept; each takes at most ⌈V / 64⌉ words, few take so much.
  private static final int MAX_KEPT = 8192;

  /// The most bytes that [Matcher#forcedBytes] looks ahead.
  private static final int MAX_FORCED = 4096;

  private final Grammar grammar;
  private final TokenVocabulary vocabulary;
  private final StackNode[] contexts;
  private final AtomicReferenceArray<StateMask> masks;
  private final AtomicInteger kept = new AtomicInteger();

  private TokenConstraint(Grammar grammar, TokenVocabulary vocabulary) {
    this.grammar = grammar;
    this.vocabulary = vocabulary;
    this.contexts = MaskCompiler.contexts(grammar);
    this.masks = new AtomicReferenceArray<>(grammar.stateCount());
  }

  /// The constraint that texts of `vocabulary` are in `grammar`.
  public static TokenConstraint of(Grammar grammar, TokenVocabulary vocabulary) {
    return new TokenConstraint(grammar, vocabulary);
  }

  public TokenVocabulary vocabulary() {
    return vocabulary;
  }

  /// Finds the masks of all states now, as many as are kept, so that no generation has to.
  public TokenConstraint computeAhead() {
    MaskCompiler compiler = new MaskCompiler(grammar, vocabulary, contexts);
    for (int state = 0; state < grammar.stateCount() && kept.get() < MAX_KEPT; state++) {
      if (grammar.hasBytes(state)) {
        mask(state, compiler);
      }
    }
    return this;
  }

  /// A matcher at the beginning of an answer that continues other text.
  public Matcher newMatcher() {
    return new Matcher(Place.INSIDE);
  }

  /// A matcher at the beginning of a text, where decoding leaves out a first space, see
  /// [TokenVocabulary#beginsText].
  public Matcher newMatcherAtStart() {
    return new Matcher(Place.START);
  }

  private StateMask mask(int state, MaskCompiler compiler) {
    StateMask known = masks.get(state);
    if (known != null) {
      return known;
    }
    StateMask mask = compiler.compile(state, Place.INSIDE);
    if (kept.incrementAndGet() > MAX_KEPT) {
      kept.set(1);
      for (int i = 0; i < masks.length(); i++) {
        masks.set(i, null);
      }
    }
    masks.set(state, mask);
    return mask;
  }

  /// Follows one text. Mutable; for one thread at a time.
  public final class Matcher {
    private final Place start;
    private final Stepper stepper = new Stepper(grammar);
    private final MaskCompiler compiler = new MaskCompiler(grammar, vocabulary, contexts);

    /// Where the text was after each token; the first is the beginning.
    private final List<Position> positions = new ArrayList<>();

    private boolean ended;

    private Matcher(Place start) {
      this.start = start;
      Position beginning = new Position();
      stepper.begin(0, StackNode.bottom(), beginning);
      positions.add(beginning);
    }

    private Position here() {
      return positions.getLast();
    }

    private Place place() {
      return positions.size() == 1 ? start : Place.INSIDE;
    }

    /// Sets exactly the bits of the tokens that may come next: those after which the text can still
    /// be completed, and the end ids where it is complete. Tokens that add nothing are never among
    /// them; after an end id nothing is.
    ///
    /// @param bits at least [TokenVocabulary#maskWords] words; token `id` is bit `id % 64` of word
    ///   `id / 64`
    public void mask(long[] bits) {
      Arrays.fill(bits, 0);
      if (ended) {
        return;
      }
      Position here = here();
      for (int i = 0; i < here.size(); i++) {
        int state = here.state(i);
        StateMask mask =
            place() == Place.START
                ? compiler.compile(state, Place.START)
                : TokenConstraint.this.mask(state, compiler);
        mask.addTo(bits);
        if (mask.dependent().length > 0) {
          compiler.addDependent(state, here.stack(i), mask.dependent(), place(), bits);
        }
      }
      if (here.isComplete()) {
        for (int id : vocabulary.endIds()) {
          bits[id >>> 6] |= 1L << id;
        }
      }
    }

    /// Takes the next token.
    ///
    /// @throws IllegalArgumentException if it is not one that [#mask] allows; nothing changes then
    public void accept(int id) {
      if (id < 0 || id >= vocabulary.size()) {
        throw new IllegalArgumentException(
            "id " + id + " is not in [0, " + vocabulary.size() + ")");
      }
      if (vocabulary.isEnd(id) && here().isComplete() && !ended) {
        ended = true;
        positions.add(here());
        return;
      }
      byte[] text = vocabulary.bytes(id, place());
      Position at = here();
      for (int i = 0; i < text.length && at.isAlive(); i++) {
        Position next = new Position();
        stepper.step(at, text[i] & 0xFF, next);
        at = next;
      }
      if (ended || text.length == 0 || !at.isAlive()) {
        throw new IllegalArgumentException("token " + id + " cannot come next");
      }
      positions.add(at);
    }

    /// Takes back the last `tokens` tokens.
    ///
    /// @throws IllegalArgumentException if fewer were accepted
    public void rewind(int tokens) {
      if (tokens < 0 || tokens >= positions.size()) {
        throw new IllegalArgumentException(
            "rewinding " + tokens + " of " + (positions.size() - 1) + " tokens");
      }
      ended &= tokens == 0;
      positions.subList(positions.size() - tokens, positions.size()).clear();
    }

    /// Whether the text so far is in the language.
    public boolean isComplete() {
      return here().isComplete();
    }

    /// Whether nothing but an end may come: the text is complete, and no byte can follow.
    public boolean isExhausted() {
      return ended || here().size() == 0;
    }

    /// The bytes that must come next whatever is chosen, up to the first choice, which ending the
    /// text also is; empty if there is a choice at once.
    public byte[] forcedBytes() {
      byte[] forced = new byte[16];
      int size = 0;
      Position at = here();
      int b = ended ? -1 : onlyByte(at);
      while (b >= 0 && size < MAX_FORCED) {
        if (size == forced.length) {
          forced = Arrays.copyOf(forced, size * 2);
        }
        forced[size++] = (byte) b;
        Position next = new Position();
        stepper.step(at, b, next);
        at = next;
        b = onlyByte(at);
      }
      return Arrays.copyOf(forced, size);
    }

    /// The one byte that can follow, or −1.
    private int onlyByte(Position at) {
      int only = -1;
      for (int i = 0; i < at.size() && !at.isComplete(); i++) {
        for (int b = 0; b < 256; b++) {
          if (grammar.next(at.state(i), b) >= 0 && b != only) {
            if (only >= 0) {
              return -1;
            }
            only = b;
          }
        }
      }
      return at.isComplete() ? -1 : only;
    }
  }
}
