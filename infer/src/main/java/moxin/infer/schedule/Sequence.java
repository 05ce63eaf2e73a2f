package moxin.infer.schedule;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import moxin.infer.Continuation;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Sampler;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.Logits;
import org.jspecify.annotations.Nullable;

/// One text under way: first its prompt is ingested in chunks, then each step ingests its newest
/// token with a proposal behind it and adds at least one token. The ids are those that
/// [moxin.infer.Generator] gives. Mutable; for one thread at a time.
final class Sequence implements AutoCloseable {
  /// Keeps the draws of rejection sampling apart from those of a sampler with the same seed.
  private static final long OTHER_STREAM = 0x5DEECE66D1A4B587L;

  private final Texts texts;
  private final int promptLength;
  private final GenerationOptions options;
  private final TokenList tokens;
  private final TokenChoice choice;
  private final Continuation continuation;
  private final @Nullable DraftSource source;
  private final DraftBudget budget = new DraftBudget();
  private @Nullable Session session;
  private Draft draft = Draft.NONE;
  private int drafted;
  private int accepted;

  /// @param events is told what becomes certain of the text, and the end by [#finish]
  /// @throws IllegalArgumentException if the options name an id outside the vocabulary
  Sequence(
      Texts texts,
      int[] promptIds,
      GenerationOptions options,
      Speculator speculator,
      Consumer<GenerationEvent> events) {
    this.texts = texts;
    this.promptLength = promptIds.length;
    this.options = options;
    this.tokens = new TokenList(promptIds);
    this.continuation =
        new Continuation(
            texts.tokenizer(), texts.endIds(), promptIds, options, texts.contextLimit(), events);
    boolean chance = speculator.drawsDrafts() && options.sampling().temperature() > 0;
    TokenChoice.Rejection rejection =
        chance
            ? new TokenChoice.Rejection(
                new SplittableRandom(options.sampling().seed() ^ OTHER_STREAM))
            : null;
    this.choice = rejection == null ? new TokenChoice.Agreement() : rejection;
    this.source = speculator.newSource(tokens, options.sampling(), rejection);
  }

  /// Gives the text its session, which has ingested less than the prompt and is closed with it.
  void start(Session started) {
    if (session != null || started.position() >= promptLength) {
      throw new IllegalStateException("started twice, or beyond the prompt");
    }
    session = started;
  }

  boolean started() {
    return session != null;
  }

  Session session() {
    Session open = session;
    if (open == null) {
      throw new IllegalStateException("the text has not been started");
    }
    return open;
  }

  TokenList tokens() {
    return tokens;
  }

  @Nullable DraftSource source() {
    return source;
  }

  DraftBudget budget() {
    return budget;
  }

  int promptLength() {
    return promptLength;
  }

  int promptIngested() {
    return session == null ? 0 : Math.min(promptLength, session.position());
  }

  /// How many tokens of the prompt are still to be ingested.
  int promptLeft() {
    return promptLength - promptIngested();
  }

  /// How many tokens have been added.
  int added() {
    return continuation.count();
  }

  int drafted() {
    return drafted;
  }

  int accepted() {
    return accepted;
  }

  /// Why the text has ended, once it has; a prompt is read to its end unless cancelled.
  Optional<FinishReason> reason() {
    return continuation.reason().filter(why -> why == FinishReason.CANCELLED || promptLeft() == 0);
  }

  /// The next `count` tokens of the prompt.
  Ingestion chunk(int count) {
    int from = session().position();
    LogitRows rows =
        options.promptLogProbabilities().isPresent()
            ? LogitRows.ALL
            : count == promptLeft() ? LogitRows.LAST : LogitRows.NONE;
    return new Ingestion(session(), tokens.slice(from, from + count), rows);
  }

  /// The longest proposal that could be accepted, and forgotten again.
  int draftLimit() {
    int room = texts.contextLimit() - tokens.size();
    int wanted = options.maxNewTokens() - added() - 1;
    return Math.max(0, Math.min(Math.min(room, wanted), session().rewindReach() - 1));
  }

  void propose(Draft proposed) {
    draft = proposed;
  }

  int draftLength() {
    return draft.length();
  }

  /// The newest token and the proposal.
  Ingestion next() {
    int[] ids = new int[1 + draft.length()];
    ids[0] = tokens.get(tokens.size() - 1);
    System.arraycopy(draft.ids(), 0, ids, 1, draft.length());
    return new Ingestion(session(), ids, draft.length() == 0 ? LogitRows.LAST : LogitRows.ALL);
  }

  /// Takes the logits of [#chunk] or [#next] and returns how many tokens were added.
  int accept(Logits logits) {
    int before = added();
    if (before == 0) {
      continuation.scorePrompt(logits, session().position() - logits.rows());
    }
    if (promptLeft() > 0 || continuation.reason().isPresent()) {
      return 0;
    }
    int right = 0;
    for (int row = logits.rows() - 1 - draft.length(); row < logits.rows(); row++) {
      int known = added();
      OptionalInt goesOn = continuation.next(logits, row, this::choose);
      if (added() == known) {
        break;
      }
      int id = continuation.lastId();
      tokens.add(id);
      if (source != null) {
        source.added(id);
      }
      boolean foretold = row < draft.length() && id == draft.ids()[row];
      right += foretold ? 1 : 0;
      if (goesOn.isEmpty() || !foretold) {
        break;
      }
    }
    if (before > 0) {
      settle(right);
    }
    return added() - before;
  }

  private int choose(Sampler sampler, Logits logits, int row, long[] allowed) {
    return choice.choose(sampler, logits, row, allowed, draft);
  }

  private void settle(int right) {
    int proposed = draft.length();
    Session open = session();
    if (right < proposed) {
      open.rewindTo(open.position() - (proposed - right));
    }
    drafted += proposed;
    accepted += right;
    budget.settle(right);
    if (source != null) {
      source.settle(proposed, right);
    }
    draft = Draft.NONE;
  }

  /// Ends the text where it is, unless it has ended.
  void end(FinishReason why) {
    continuation.end(why);
  }

  /// Hands out what was held back of the text, and tells the end.
  Generation finish(GenerationEvent.Timings timings) {
    return continuation.finish(timings);
  }

  /// Gives away the session, with the tokens `[0, position)` of the text in it; the text is over.
  Optional<Session> releaseSession() {
    Session released = session;
    session = null;
    return Optional.ofNullable(released);
  }

  @Override
  public void close() {
    if (source != null) {
      source.close();
    }
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
