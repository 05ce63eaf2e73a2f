package moxin.infer.schedule;

import moxin.infer.KvType;
import moxin.model.ModelConfig;

/// How much memory a session takes.
public interface CacheSize {
  /// Positions beyond the window that a rolling cache keeps, at most.
  int ROLLING_SLACK = 288;

  /// The bytes of a session that has read `tokens` tokens.
  long bytes(int tokens);

  /// Keys and values in `type` for every position, or those in the window.
  static CacheSize of(ModelConfig config, KvType type) {
    long vectors = 2L * config.numHiddenLayers() * config.numKeyValueHeads();
    long each = vectors * type.byteSize(config.headDim(), 1);
    long most =
        config.slidingWindow().isPresent()
            ? (long) config.slidingWindow().getAsInt() + ROLLING_SLACK
            : config.maxPositionEmbeddings();
    return tokens -> Math.min(tokens, most) * each;
  }
}
