package moxin.infer;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// Continues texts with any language model. Thread-safe.
public final class Generator {
  private static final int PREFILL_CHUNK = 256;

  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final Set<Integer> endIds;
  private final int contextLimit;

  /// A generator that ends at the model's end-of-sequence ids, or the tokenizer's where the model
  /// names none.
  public Generator(LanguageModel model, Tokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
    ModelConfig config = model.config();
    this.endIds = new TreeSet<>(config.eosTokenIds());
    if (endIds.isEmpty()) {
      tokenizer.endOfSequence().ifPresent(endIds::add);
    }
    this.contextLimit =
        config.slidingWindow().isPresent() ? Integer.MAX_VALUE : config.maxPositionEmbeddings();
  }

  /// The ids of `prompt`, after the beginning-of-sequence id where the tokenizer has one.
  public int[] promptIds(String prompt) {
    return IntStream.concat(
            tokenizer.beginOfSequence().stream(), Arrays.stream(tokenizer.encode(prompt)))
        .toArray();
  }

  /// Continues `promptIds`.
  ///
  /// @param events is told each piece of text as soon as it is certain, then the end, on the
  ///   calling thread
  /// @param cancelled is asked before each token
  /// @throws IllegalArgumentException if there is no prompt or it does not fit in the context
  public Generation generate(
      int[] promptIds,
      GenerationOptions options,
      Consumer<GenerationEvent> events,
      BooleanSupplier cancelled) {
    if (promptIds.length == 0) {
      throw new IllegalArgumentException("the prompt has no tokens");
    }
    if (promptIds.length > contextLimit) {
      throw new IllegalArgumentException(
          "the prompt has " + promptIds.length + " tokens, the context " + contextLimit);
    }
    try (LanguageModel.Session session = model.newSession()) {
      return new Run(session, promptIds.clone(), options, events, cancelled).run();
    }
  }

  /// Continues `prompt`, encoded by [#promptIds].
  public Generation generate(String prompt, GenerationOptions options) {
    return generate(promptIds(prompt), options, _ -> {}, () -> false);
  }

  /// One generation under way.
  private final class Run {
    private final LanguageModel.Session session;
    private final int[] promptIds;
    private final GenerationOptions options;
    private final Consumer<GenerationEvent> events;
    private final BooleanSupplier cancelled;
    private final Sampler sampler;
    private final TextStream stream = tokenizer.newTextStream();
    private final StopStrings stops;
    private final StringBuilder text = new StringBuilder();
    private final IntStream.Builder ids = IntStream.builder();
    private int count;

    Run(
        LanguageModel.Session session,
        int[] promptIds,
        GenerationOptions options,
        Consumer<GenerationEvent> events,
        BooleanSupplier cancelled) {
      this.session = session;
      this.promptIds = promptIds;
      this.options = options;
      this.events = events;
      this.cancelled = cancelled;
      this.sampler = new Sampler(options.sampling());
      this.stops = new StopStrings(options.stopStrings());
    }

    Generation run() {
      long start = System.nanoTime();
      Logits logits = prefill();
      long prefilled = System.nanoTime();
      for (int id : promptIds) {
        stream.next(id);
      }
      FinishReason reason = decode(logits);
      if (!stops.stopped()) {
        emit(stops.next(stream.finish()));
        emit(stops.finish());
      }
      GenerationEvent.Timings timings =
          new GenerationEvent.Timings(
              Math.min(session.position(), promptIds.length),
              Duration.ofNanos(prefilled - start),
              count,
              Duration.ofNanos(System.nanoTime() - prefilled));
      events.accept(new GenerationEvent.Finished(reason, timings));
      return new Generation(promptIds, ids.build().toArray(), text.toString(), reason, timings);
    }

    private Logits prefill() {
      Logits logits = Logits.none(model.config().vocabSize());
      for (int at = 0; at < promptIds.length && !cancelled.getAsBoolean(); at += PREFILL_CHUNK) {
        int end = Math.min(promptIds.length, at + PREFILL_CHUNK);
        LogitRows rows = end == promptIds.length ? LogitRows.LAST : LogitRows.NONE;
        logits = session.ingest(Arrays.copyOfRange(promptIds, at, end), rows);
      }
      return logits;
    }

    private FinishReason decode(Logits first) {
      Logits logits = first;
      while (count < options.maxNewTokens()) {
        if (logits.rows() == 0 || cancelled.getAsBoolean()) {
          return FinishReason.CANCELLED;
        }
        int id = sampler.sample(logits, 0);
        if (endIds.contains(id)) {
          return FinishReason.STOP;
        }
        ids.add(id);
        count++;
        emit(stops.next(stream.next(id)));
        if (stops.stopped()) {
          return FinishReason.STOP;
        }
        if (count == options.maxNewTokens() || session.position() >= contextLimit) {
          return FinishReason.LENGTH;
        }
        logits = session.ingest(new int[] {id}, LogitRows.LAST);
      }
      return FinishReason.LENGTH;
    }

    private void emit(String delta) {
      if (!delta.isEmpty()) {
        text.append(delta);
        events.accept(new GenerationEvent.TextDelta(delta));
      }
    }
  }
}
