package moxin.train.estimate;

/// What attention keeps in memory.
public enum AttentionMemory {
  /// The CPU's: tile by tile, with the probabilities kept while they are below 128 MiB a layer.
  TILED,
  /// All scores, and several copies of those of one layer on the way.
  SCORES,
  /// Queries, keys and values and one number for each query.
  FUSED
}
