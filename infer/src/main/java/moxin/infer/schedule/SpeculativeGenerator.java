package moxin.infer.schedule;

import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.Logits;
import moxin.text.Tokenizer;

/// Continues single texts as [Generator] does, decoding several tokens in one pass where they can
/// be foretold. For one thread; what it learns about the cost of steps serves its next texts.
public final class SpeculativeGenerator {
  private static final int PREFILL_CHUNK = 256;

  private final LanguageModel model;
  private final Generator plain;
  private final Texts texts;
  private final Speculator speculator;
  private final LongSupplier clock;

  /// @throws IllegalArgumentException if a draft model has another vocabulary
  public SpeculativeGenerator(LanguageModel model, Tokenizer tokenizer, Speculation speculation) {
    this(model, tokenizer, speculation, System::nanoTime);
  }

  SpeculativeGenerator(
      LanguageModel model, Tokenizer tokenizer, Speculation speculation, LongSupplier clock) {
    this.model = model;
    this.plain = new Generator(model, tokenizer);
    this.texts = Texts.of(model.config(), tokenizer);
    this.speculator = new Speculator(speculation, model, clock);
    this.clock = clock;
  }

  /// A generation and how its proposals fared.
  ///
  /// @param proposed tokens that were proposed
  /// @param accepted those of them that became part of the text
  /// @param steps passes that decoded
  public record Outcome(Generation generation, int proposed, int accepted, int steps) {}

  /// Continues `prompt`, encoded by [Generator#promptIds].
  public Generation generate(String prompt, GenerationOptions options) {
    return generate(plain.promptIds(prompt), options, _ -> {}, () -> false).generation();
  }

  /// Continues `promptIds`.
  ///
  /// @param events is told each piece of text as soon as it is certain, then the end, on the
  ///   calling thread
  /// @param cancelled is asked before each pass
  /// @throws IllegalArgumentException if there is no prompt or it does not fit in the context
  public Outcome generate(
      int[] promptIds,
      GenerationOptions options,
      Consumer<GenerationEvent> events,
      BooleanSupplier cancelled) {
    texts.requirePrompt(promptIds, model.config().vocabSize());
    long start = clock.getAsLong();
    try (Sequence sequence = new Sequence(texts, promptIds, options, speculator, events)) {
      sequence.start(model.newSession());
      while (sequence.promptLeft() > 0 && step(sequence, cancelled)) {}
      long prefilled = clock.getAsLong();
      int steps = 0;
      while (sequence.reason().isEmpty() && step(sequence, cancelled)) {
        steps++;
      }
      GenerationEvent.Timings timings =
          new GenerationEvent.Timings(
              sequence.promptIngested(),
              Duration.ofNanos(prefilled - start),
              sequence.added(),
              Duration.ofNanos(clock.getAsLong() - prefilled));
      Generation generation = sequence.finish(timings);
      return new Outcome(generation, sequence.drafted(), sequence.accepted(), steps);
    }
  }

  /// Makes one pass; false if the text ended instead.
  private boolean step(Sequence sequence, BooleanSupplier cancelled) {
    if (cancelled.getAsBoolean()) {
      sequence.end(FinishReason.CANCELLED);
      return false;
    }
    speculator.follow(List.of(sequence));
    int left = sequence.promptLeft();
    if (left == 0) {
      speculator.propose(List.of(sequence), 1, Integer.MAX_VALUE);
    }
    Ingestion ingestion =
        left > 0 ? sequence.chunk(Math.min(left, PREFILL_CHUNK)) : sequence.next();
    long start = clock.getAsLong();
    Logits logits = model.ingest(List.of(ingestion)).getFirst();
    speculator.cost().record(ingestion.tokens().length, clock.getAsLong() - start);
    sequence.accept(logits);
    return true;
  }
}
