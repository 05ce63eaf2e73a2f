package moxin.train.transformer;

import moxin.model.LogitRows;
import moxin.model.Logits;

/// What is still to be done of the tokens that a session was given.
final class PendingTokens {
  private final KvCache cache;
  private final int[] tokens;
  private final int vocabSize;
  private final int rows;
  private final float[] logits;
  private int done;

  PendingTokens(KvCache cache, int[] tokens, LogitRows wanted, int vocabSize) {
    this.cache = cache;
    this.tokens = tokens.clone();
    this.vocabSize = vocabSize;
    this.rows =
        switch (wanted) {
          case NONE -> 0;
          case LAST -> 1;
          case ALL -> tokens.length;
        };
    if ((long) rows * vocabSize > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "the logits of " + rows + " positions at once are too many");
    }
    this.logits = new float[rows * vocabSize];
  }

  KvCache cache() {
    return cache;
  }

  int remaining() {
    return tokens.length - done;
  }

  /// The next token, which counts as done.
  int take() {
    return tokens[done++];
  }

  /// Which row of the result the logits of the token last taken are, negative if none is.
  int row() {
    return done - 1 - (tokens.length - rows);
  }

  /// Sets a row of the result from row `from` of `values`.
  void set(int row, float[] values, int from) {
    System.arraycopy(values, from * vocabSize, logits, row * vocabSize, vocabSize);
  }

  Logits logits() {
    return new Logits(rows, vocabSize, logits);
  }
}
