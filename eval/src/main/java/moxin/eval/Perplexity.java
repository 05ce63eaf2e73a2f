package moxin.eval;

import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;
import moxin.job.Progress;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.text.Tokenizer;

/// The perplexity of a text by the rule of llama.cpp's `llama-perplexity`, so that figures compare.
///
/// The ids of the whole text are cut into chunks of the context's length; what is left over at the
/// end is not read. Each chunk is read by itself, its first id replaced by beginning-of-sequence
/// where the tokenizer has one, and the ids of its second half are predicted, each from all before
/// it in the chunk.
///
/// @param perplexity e to the mean of the negative log-probabilities
/// @param standardError of the perplexity, from the variance of the log-probabilities
/// @param context ids of a chunk
/// @param chunks how many were read
/// @param scoredTokens how many ids were predicted
public record Perplexity(
    double perplexity, double standardError, int context, int chunks, long scoredTokens) {

  /// The fewest ids of a chunk: its second half must predict something.
  public static final int MIN_CONTEXT = 4;

  /// How many logits are alive at a time, unless one row has more.
  private static final int LOGITS_AT_ONCE = 1 << 23;

  private static final int TOKENS_AT_ONCE = 256;

  /// Measures `text`.
  ///
  /// @param context ids of a chunk, at least [#MIN_CONTEXT]
  /// @param limit the most chunks to read
  /// @throws TaskDataException if the text does not fill one chunk
  /// @throws IllegalArgumentException if the context does not fit in the model's
  public static Perplexity of(
      LanguageModel model,
      Tokenizer tokenizer,
      String text,
      int context,
      OptionalInt limit,
      Progress progress) {
    if (context < MIN_CONTEXT || context > model.config().maxPositionEmbeddings()) {
      throw new IllegalArgumentException(
          "a context has between "
              + MIN_CONTEXT
              + " and "
              + model.config().maxPositionEmbeddings()
              + " tokens, found "
              + context);
    }
    int[] ids = ids(tokenizer, text);
    int chunks = Math.min(ids.length / context, limit.orElse(Integer.MAX_VALUE));
    if (chunks == 0) {
      throw new TaskDataException(
          "the text has " + ids.length + " tokens, fewer than a context of " + context);
    }
    Sums sums = new Sums();
    try (Progress.Task task = progress.start("Perplexity", chunks, "chunks")) {
      for (int chunk = 0; chunk < chunks; chunk++) {
        int[] part = Arrays.copyOfRange(ids, chunk * context, (chunk + 1) * context);
        tokenizer.beginOfSequence().ifPresent(begin -> part[0] = begin);
        score(model, part, sums);
        task.advance(1);
        task.status("perplexity so far " + String.format(Locale.ROOT, "%.4f", sums.perplexity()));
      }
    }
    return new Perplexity(sums.perplexity(), sums.standardError(), context, chunks, sums.count);
  }

  private static int[] ids(Tokenizer tokenizer, String text) {
    int[] encoded = tokenizer.encode(text);
    OptionalInt begin = tokenizer.beginOfSequence();
    if (begin.isEmpty()) {
      return encoded;
    }
    int[] ids = new int[encoded.length + 1];
    ids[0] = begin.getAsInt();
    System.arraycopy(encoded, 0, ids, 1, encoded.length);
    return ids;
  }

  /// Adds the predictions of the second half of `ids`: the id behind each of its positions but the
  /// last.
  private static void score(LanguageModel model, int[] ids, Sums sums) {
    int first = ids.length / 2;
    int vocabSize = model.config().vocabSize();
    int step = Math.clamp(LOGITS_AT_ONCE / vocabSize, 1, TOKENS_AT_ONCE);
    try (LanguageModel.Session session = model.newSession()) {
      session.ingest(Arrays.copyOf(ids, first), LogitRows.NONE);
      for (int at = first; at < ids.length - 1; at += step) {
        int end = Math.min(ids.length - 1, at + step);
        Logits logits = session.ingest(Arrays.copyOfRange(ids, at, end), LogitRows.ALL);
        for (int row = 0; row < end - at; row++) {
          sums.add(surprise(logits, row, ids[at + row + 1]));
        }
      }
    }
  }

  /// −ln p of token `id` in row `row`.
  private static double surprise(Logits logits, int row, int id) {
    double max = logits.at(row, logits.argmax(row));
    double sum = 0;
    for (int other = 0; other < logits.vocabSize(); other++) {
      sum += Math.exp(logits.at(row, other) - max);
    }
    return max + Math.log(sum) - logits.at(row, id);
  }

  private static final class Sums {
    private double sum;
    private double squares;
    private long count;

    void add(double surprise) {
      sum += surprise;
      squares += surprise * surprise;
      count++;
    }

    double perplexity() {
      return Math.exp(sum / count);
    }

    double standardError() {
      double mean = sum / count;
      double variance = Math.max(0, squares / count - mean * mean);
      return count < 2 ? 0 : perplexity() * Math.sqrt(variance / (count - 1));
    }
  }
}
