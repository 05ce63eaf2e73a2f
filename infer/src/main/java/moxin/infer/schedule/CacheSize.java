package moxin.infer.schedule;

import moxin.model.ModelConfig;

/// How much memory a session takes.
public interface CacheSize {
  /// Positions beyond the window that a rolling cache keeps, at most.
  int ROLLING_SLACK = 288;

  /// The bytes of a session that has read `tokens` tokens.
  long bytes(int tokens);

  /// Keys and values of `bytesPerNumber` bytes each for every position, or those in the window.
  static CacheSize of(ModelConfig config, double bytesPerNumber) {
    long width = 2L * config.numHiddenLayers() * config.numKeyValueHeads() * config.headDim();
    long most =
        config.slidingWindow().isPresent()
            ? (long) config.slidingWindow().getAsInt() + ROLLING_SLACK
            : config.maxPositionEmbeddings();
    return tokens -> (long) Math.ceil(Math.min(tokens, most) * width * bytesPerNumber);
  }
}
