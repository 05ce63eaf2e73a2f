package moxin.infer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import moxin.infer.constraint.TokenConstraint;
import moxin.infer.constraint.TokenConstraint.Matcher;
import moxin.model.Logits;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// Everything between the logits of one sequence and its text: draws tokens under the options,
/// scores them, finds the end. It knows no model, so whoever advances sessions, one or many at a
/// time, gives it logits and ingests the ids it returns. Mutable; for one thread at a time.
public final class Continuation {
  private final Tokenizer tokenizer;
  private final Set<Integer> endIds;
  private final int[] promptIds;
  private final GenerationOptions options;
  private final int contextLimit;
  private final Consumer<GenerationEvent> events;
  private final Sampler sampler;
  private final Optional<Matcher> matcher;
  private final TextStream stream;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();
  private int[] ids = new int[16];
  private final List<ScoredToken> scores = new ArrayList<>();
  private final List<ScoredToken> promptScores = new ArrayList<>();
  private long[] allowed = {};
  private int count;
  private Optional<FinishReason> reason = Optional.empty();

  /// @param endIds the ids that end a sequence
  /// @param contextLimit the most tokens that a session takes
  /// @param events is told scores and pieces of text as they come, and the end by [#finish]
  /// @throws IllegalArgumentException if an id is outside the vocabulary
  public Continuation(
      Tokenizer tokenizer,
      Set<Integer> endIds,
      int[] promptIds,
      GenerationOptions options,
      int contextLimit,
      Consumer<GenerationEvent> events) {
    options.requireVocabulary(tokenizer.vocabSize());
    this.tokenizer = tokenizer;
    this.endIds = Set.copyOf(endIds);
    this.promptIds = promptIds.clone();
    this.options = options;
    this.contextLimit = contextLimit;
    this.events = events;
    this.sampler = new Sampler(options.sampling());
    this.stops = new StopStrings(options.stopStrings());
    this.stream = tokenizer.newTextStream();
    for (int id : promptIds) {
      stream.next(id);
    }
    sampler.acceptPrompt(promptIds);
    this.matcher = options.constraint().map(this::matcher);
    if (matcher.map(Matcher::isExhausted).orElse(false)) {
      reason = Optional.of(FinishReason.STOP);
    } else if (options.maxNewTokens() == 0) {
      reason = Optional.of(FinishReason.LENGTH);
    }
  }

  private Matcher matcher(TokenConstraint constraint) {
    return constraint.vocabulary().beginsText(tokenizer, promptIds)
        ? constraint.newMatcherAtStart()
        : constraint.newMatcher();
  }

  /// How a token is chosen.
  @FunctionalInterface
  public interface Choice {
    /// A token for row `row` of `logits` among `allowed`, as [Sampler#sample(Logits, int, long[])].
    ///
    /// @param sampler knows the sequence so far
    int choose(Sampler sampler, Logits logits, int row, long[] allowed);
  }

  /// Scores tokens of the prompt where the options ask for it: row `i` of `logits` says what
  /// follows token `from + i` of the prompt. Called for each chunk of the prompt in order.
  public void scorePrompt(Logits logits, int from) {
    if (options.promptLogProbabilities().isEmpty()) {
      return;
    }
    TokenScores rivals = new TokenScores(tokenizer, options.promptLogProbabilities().getAsInt());
    List<ScoredToken> chunk = new ArrayList<>();
    for (int row = 0; row < logits.rows() && from + row + 1 < promptIds.length; row++) {
      chunk.add(rivals.score(logits, row, promptIds[from + row + 1]));
    }
    if (!chunk.isEmpty()) {
      promptScores.addAll(chunk);
      events.accept(new GenerationEvent.PromptScored(chunk));
    }
  }

  /// Draws the next token from row `row` of `logits`: what the model says after all tokens so far.
  ///
  /// @return the token to ingest next, nothing once the text has ended
  /// @throws IllegalStateException if the end has been reached
  /// @throws IllegalArgumentException if the largest logit is not finite
  public OptionalInt next(Logits logits, int row) {
    return next(logits, row, Sampler::sample);
  }

  /// As [#next(Logits, int)], with the token that `choice` chooses.
  public OptionalInt next(Logits logits, int row, Choice choice) {
    if (reason.isPresent()) {
      throw new IllegalStateException("the text has ended: " + reason.get());
    }
    mask(logits.vocabSize());
    int id = choice.choose(sampler, logits, row, allowed);
    if (id == Sampler.NONE) {
      reason = Optional.of(FinishReason.NO_TOKEN);
    } else if (endIds.contains(id) || options.stopTokens().contains(id)) {
      reason = Optional.of(FinishReason.STOP);
    } else {
      take(logits, row, id);
      return reason.isEmpty() ? OptionalInt.of(id) : OptionalInt.empty();
    }
    return OptionalInt.empty();
  }

  private void take(Logits logits, int row, int id) {
    sampler.accept(id);
    matcher.ifPresent(m -> m.accept(id));
    ids = count == ids.length ? Arrays.copyOf(ids, 2 * count) : ids;
    ids[count++] = id;
    options
        .logProbabilities()
        .ifPresent(
            rivals -> {
              ScoredToken score = new TokenScores(tokenizer, rivals).score(logits, row, id);
              scores.add(score);
              events.accept(new GenerationEvent.TokenScored(score));
            });
    emit(stops.next(stream.next(id)));
    if (stops.stopped() || matcher.map(Matcher::isExhausted).orElse(false)) {
      reason = Optional.of(FinishReason.STOP);
    } else if (count >= options.maxNewTokens() || promptIds.length + count > contextLimit) {
      reason = Optional.of(FinishReason.LENGTH);
    }
  }

  /// Fills `allowed`.
  private void mask(int vocabSize) {
    int size = Math.max(vocabSize, tokenizer.vocabSize());
    int words = (size + Long.SIZE - 1) / Long.SIZE;
    if (allowed.length != words) {
      allowed = new long[words];
    }
    if (matcher.isPresent()) {
      matcher.get().mask(allowed);
    } else {
      Arrays.fill(allowed, -1);
    }
    boolean tooEarly = count < options.minNewTokens();
    if (tooEarly || options.endOfSequence() == GenerationOptions.EndOfSequence.IGNORED) {
      endIds.forEach(this::forbid);
    }
    if (tooEarly) {
      options.stopTokens().forEach(this::forbid);
    }
  }

  private void forbid(int id) {
    if (id >>> 6 < allowed.length) {
      allowed[id >>> 6] &= ~(1L << id);
    }
  }

  /// Ends the text here, for `why`, unless it has ended already.
  public void end(FinishReason why) {
    if (reason.isEmpty()) {
      reason = Optional.of(why);
    }
  }

  /// Why the text has ended, once it has.
  public Optional<FinishReason> reason() {
    return reason;
  }

  /// The tokens drawn so far, without the one that ended the sequence.
  public int[] ids() {
    return Arrays.copyOf(ids, count);
  }

  /// The token drawn last.
  ///
  /// @throws IndexOutOfBoundsException if none was
  public int lastId() {
    return ids[Objects.checkIndex(count - 1, ids.length)];
  }

  /// How many tokens were drawn, without the one that ended the sequence.
  public int count() {
    return count;
  }

  /// Hands out what was held back and tells the end. Called once.
  ///
  /// @throws IllegalStateException if the end has not been reached
  public Generation finish(GenerationEvent.Timings timings) {
    FinishReason why =
        reason.orElseThrow(() -> new IllegalStateException("the text has not ended"));
    if (!stops.stopped()) {
      emit(stops.next(stream.finish()));
      emit(stops.finish());
    }
    events.accept(new GenerationEvent.Finished(why, timings));
    return new Generation(
        promptIds.clone(), ids(), text.toString(), why, timings, promptScores, scores);
  }

  private void emit(String delta) {
    if (!delta.isEmpty()) {
      text.append(delta);
      events.accept(new GenerationEvent.TextDelta(delta));
    }
  }
}
