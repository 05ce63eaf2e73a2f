package moxin.infer;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import moxin.infer.constraint.TokenVocabulary;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.text.Tokenizer;

/// Continues texts with any language model. Thread-safe.
public final class Generator {
  private static final int PREFILL_CHUNK = 256;

  /// How many logits are alive at a time while a prompt is scored, unless one row has more.
  private static final int SCORED_LOGITS = 1 << 21;

  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final Set<Integer> endIds;
  private final int contextLimit;

  /// A generator that ends at the model's end-of-sequence ids, or the tokenizer's where the model
  /// names none.
  public Generator(LanguageModel model, Tokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.endIds = endIds(model.config(), tokenizer);
    this.contextLimit = contextLimit(model.config());
  }

  /// The ids that end a text: the model's, or the tokenizer's where the model names none.
  public static Set<Integer> endIds(ModelConfig config, Tokenizer tokenizer) {
    Set<Integer> ids = new TreeSet<>(config.eosTokenIds());
    if (ids.isEmpty()) {
      tokenizer.endOfSequence().ifPresent(ids::add);
    }
    return Collections.unmodifiableSet(ids);
  }

  /// The longest text of a model, in tokens; with a sliding window there is no limit of its own.
  public static int contextLimit(ModelConfig config) {
    return config.slidingWindow().isPresent() ? Integer.MAX_VALUE : config.maxPositionEmbeddings();
  }

  /// The ids of `prompt`, after the beginning-of-sequence id where the tokenizer has one.
  public int[] promptIds(String prompt) {
    return IntStream.concat(
            tokenizer.beginOfSequence().stream(), Arrays.stream(tokenizer.encode(prompt)))
        .toArray();
  }

  /// The number of ids of the tokenizer.
  public int vocabSize() {
    return tokenizer.vocabSize();
  }

  /// The vocabulary that constraints for this generator are compiled for. Takes a moment; keep it.
  public TokenVocabulary vocabulary() {
    return TokenVocabulary.of(tokenizer, endIds);
  }

  /// Continues `promptIds`.
  ///
  /// @param events is told each piece of text as soon as it is certain, then the end, on the
  ///   calling thread
  /// @param cancelled is asked before each token
  /// @throws IllegalArgumentException if there is no prompt, it does not fit in the context, or the
  ///   options name an id outside the vocabulary
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
    Continuation continuation =
        new Continuation(tokenizer, endIds, promptIds, options, contextLimit, events);
    try (LanguageModel.Session session = model.newSession()) {
      return new Run(session, promptIds.clone(), options, cancelled).run(continuation);
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
    private final OptionalInt promptRivals;
    private final BooleanSupplier cancelled;

    Run(
        LanguageModel.Session session,
        int[] promptIds,
        GenerationOptions options,
        BooleanSupplier cancelled) {
      this.session = session;
      this.promptIds = promptIds;
      this.promptRivals = options.promptLogProbabilities();
      this.cancelled = cancelled;
    }

    Generation run(Continuation continuation) {
      long start = System.nanoTime();
      Logits logits = prefill(continuation);
      long prefilled = System.nanoTime();
      decode(logits, continuation);
      GenerationEvent.Timings timings =
          new GenerationEvent.Timings(
              Math.min(session.position(), promptIds.length),
              Duration.ofNanos(prefilled - start),
              continuation.count(),
              Duration.ofNanos(System.nanoTime() - prefilled));
      return continuation.finish(timings);
    }

    /// The logits of the prompt's last token in the last row; no rows if cancelled before.
    private Logits prefill(Continuation continuation) {
      int vocabSize = model.config().vocabSize();
      Logits logits = Logits.none(vocabSize);
      int chunk =
          promptRivals.isPresent()
              ? Math.clamp(SCORED_LOGITS / vocabSize, 1, PREFILL_CHUNK)
              : PREFILL_CHUNK;
      for (int at = 0; at < promptIds.length && !cancelled.getAsBoolean(); at += chunk) {
        int end = Math.min(promptIds.length, at + chunk);
        LogitRows rows = end == promptIds.length ? LogitRows.LAST : LogitRows.NONE;
        logits =
            session.ingest(
                Arrays.copyOfRange(promptIds, at, end),
                promptRivals.isPresent() ? LogitRows.ALL : rows);
        if (promptRivals.isPresent()) {
          continuation.scorePrompt(logits, at);
        }
      }
      return session.position() == promptIds.length ? logits : Logits.none(vocabSize);
    }

    private void decode(Logits first, Continuation continuation) {
      Logits logits = first;
      while (continuation.reason().isEmpty()) {
        if (logits.rows() == 0 || cancelled.getAsBoolean()) {
          continuation.end(FinishReason.CANCELLED);
          return;
        }
        OptionalInt id = continuation.next(logits, logits.rows() - 1);
        if (id.isPresent()) {
          logits = session.ingest(new int[] {id.getAsInt()}, LogitRows.LAST);
        }
      }
    }
  }
}
