package moxin.infer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
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
  private final IntStream.Builder ids = IntStream.builder();
  private final List<ScoredToken> scores = new ArrayList<>();
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

  /// Draws the next token from row `row` of `logits`: what the model says after all tokens so far.
  ///
  /// @return the token to ingest next, nothing once the text has ended
  /// @throws IllegalStateException if the end has been reached
  /// @throws IllegalArgumentException if the largest logit is not finite
  public OptionalInt next(Logits logits, int row) {
    if (reason.isPresent()) {
      throw new IllegalStateException("the text has ended: " + reason.get());
    }
    mask(logits.vocabSize());
    int id = sampler.sample(logits, row, allowed);
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
    ids.add(id);
    count++;
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

  /// How many tokens were drawn, without the one that ended the sequence.
  public int count() {
    return count;
  }

  /// Hands out what was held back and tells the end. Called once.
  ///
  /// @param promptScores what the caller found for the prompt, or nothing
  /// @throws IllegalStateException if the end has not been reached
  public Generation finish(GenerationEvent.Timings timings, List<ScoredToken> promptScores) {
    FinishReason why =
        reason.orElseThrow(() -> new IllegalStateException("the text has not ended"));
    if (!stops.stopped()) {
      emit(stops.next(stream.finish()));
      emit(stops.finish());
    }
    events.accept(new GenerationEvent.Finished(why, timings));
    return new Generation(
        promptIds.clone(),
        ids.build().toArray(),
        text.toString(),
        why,
        timings,
        promptScores,
        scores);
  }

  private void emit(String delta) {
    if (!delta.isEmpty()) {
      text.append(delta);
      events.accept(new GenerationEvent.TextDelta(delta));
    }
  }
}
