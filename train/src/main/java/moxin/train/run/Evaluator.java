package moxin.train.run;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import moxin.job.BadInputException;
import moxin.text.Tokenizer;
import moxin.train.Batch;
import moxin.train.Learner;
import moxin.train.loader.TokenSource;
import moxin.train.loader.ValidationBatches;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Validation;

/// Measures the loss on held-out shards, always on the same rows.
final class Evaluator implements AutoCloseable {
  private static final long MAX_DECODED_TOKENS = 4_000_000;

  private final Validation recipe;
  private final List<TokenSource> sources;
  private final OptionalDouble bytesPerTarget;

  /// Takes over `sources`.
  Evaluator(Validation recipe, List<TokenSource> sources, Optional<Tokenizer> tokenizer) {
    this.recipe = recipe;
    this.sources = sources;
    this.bytesPerTarget =
        tokenizer.isEmpty()
            ? OptionalDouble.empty()
            : OptionalDouble.of(bytesPerTarget(sources, tokenizer.get()));
  }

  /// Measures the loss.
  ///
  /// @param afterBatch is run after every batch
  ValidationPoint measure(Learner learner, Phase phase, long step, Runnable afterBatch) {
    int length = recipe.contextLength() == null ? phase.contextLength() : recipe.contextLength();
    int rows = recipe.batchSize() == null ? phase.batchSize() : recipe.batchSize();
    long left = recipe.batches() == null ? Long.MAX_VALUE : recipe.batches();
    double sum = 0;
    long targets = 0;
    for (TokenSource source : sources) {
      ValidationBatches batches = new ValidationBatches(source, phase.packing(), rows, length);
      Optional<Batch> batch = left > 0 ? batches.next() : Optional.empty();
      while (batch.isPresent()) {
        sum += learner.evaluate(batch.get());
        targets += batch.get().targetCount();
        afterBatch.run();
        left--;
        batch = left > 0 ? batches.next() : Optional.empty();
      }
    }
    if (targets == 0) {
      throw new BadInputException("the evaluation's sources hold nothing to predict");
    }
    double loss = sum / targets;
    return new ValidationPoint(
        step,
        phase.name(),
        loss,
        bytesPerTarget.isEmpty() ? null : loss / Math.log(2) / bytesPerTarget.getAsDouble(),
        targets,
        Instant.now().toEpochMilli() / 1e3);
  }

  /// Bytes of text per predicted token, over whole documents.
  private static double bytesPerTarget(List<TokenSource> sources, Tokenizer tokenizer) {
    long bytes = 0;
    long tokens = 0;
    long targets = 0;
    for (TokenSource source : sources) {
      for (long i = 0; i < source.documentCount() && tokens < MAX_DECODED_TOKENS; i++) {
        long length = Math.min(source.documentLength(i), MAX_DECODED_TOKENS);
        int[] ids = new int[(int) length];
        source.copy(source.documentOffset(i), ids, 0, ids.length);
        bytes += tokenizer.decode(ids).getBytes(StandardCharsets.UTF_8).length;
        tokens += ids.length;
        targets += ids.length - 1;
      }
    }
    return bytes / (double) Math.max(1, targets);
  }

  @Override
  public void close() {
    sources.forEach(TokenSource::close);
  }
}
