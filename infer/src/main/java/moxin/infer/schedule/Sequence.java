package moxin.infer.schedule;

import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import moxin.infer.AnswerText;
import moxin.infer.FinishReason;
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
  private final AnswerText answer;
  private final @Nullable DraftSource source;
  private final DraftBudget budget = new DraftBudget();
  private @Nullable Session session;
  private Draft draft = Draft.NONE;
  private @Nullable FinishReason reason;
  private int drafted;
  private int accepted;

  Sequence(Texts texts, int[] promptIds, GenerationOptions options, Speculator speculator) {
    this.texts = texts;
    this.promptLength = promptIds.length;
    this.options = options;
    this.tokens = new TokenList(promptIds);
    this.answer = new AnswerText(texts.tokenizer(), promptIds, options.stopStrings());
    boolean chance = speculator.drawsDrafts() && options.sampling().temperature() > 0;
    TokenChoice.Rejection rejection =
        chance
            ? new TokenChoice.Rejection(
                options.sampling(), new SplittableRandom(options.sampling().seed() ^ OTHER_STREAM))
            : null;
    this.choice =
        rejection == null ? new TokenChoice.Agreement(new Sampler(options.sampling())) : rejection;
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
    return tokens.size() - promptLength;
  }

  int drafted() {
    return drafted;
  }

  int accepted() {
    return accepted;
  }

  Optional<FinishReason> reason() {
    return Optional.ofNullable(reason);
  }

  String text() {
    return answer.text();
  }

  int[] addedIds() {
    return tokens.slice(promptLength, tokens.size());
  }

  /// The next `count` tokens of the prompt.
  Ingestion chunk(int count) {
    int from = session().position();
    LogitRows rows = count == promptLeft() ? LogitRows.LAST : LogitRows.NONE;
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
  ///
  /// @param out is given what became certain of the text
  int accept(Logits logits, Consumer<String> out) {
    int before = tokens.size();
    if (options.maxNewTokens() == 0 && promptLeft() == 0) {
      finish(FinishReason.LENGTH, out);
      return 0;
    }
    int right = 0;
    for (int row = 0; row < logits.rows(); row++) {
      int id = choice.choose(logits, row, draft);
      boolean goesOn = add(id, out);
      boolean foretold = row < draft.length() && id == draft.ids()[row];
      right += foretold ? 1 : 0;
      if (!goesOn || !foretold) {
        break;
      }
    }
    if (before > promptLength) {
      settle(right);
    }
    return tokens.size() - before;
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

  private boolean add(int id, Consumer<String> out) {
    if (texts.endIds().contains(id)) {
      finish(FinishReason.STOP, out);
      return false;
    }
    tokens.add(id);
    if (source != null) {
      source.added(id);
    }
    emit(answer.next(id), out);
    if (answer.stopped()) {
      finish(FinishReason.STOP, out);
      return false;
    }
    if (added() == options.maxNewTokens() || tokens.size() > texts.contextLimit()) {
      finish(FinishReason.LENGTH, out);
      return false;
    }
    return true;
  }

  /// Ends the text where it is.
  void finish(FinishReason why, Consumer<String> out) {
    if (reason == null) {
      reason = why;
      emit(answer.finish(), out);
    }
  }

  private static void emit(String delta, Consumer<String> out) {
    if (!delta.isEmpty()) {
      out.accept(delta);
    }
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
