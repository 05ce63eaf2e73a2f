package moxin.model;

/// Which of the ingested positions' logits are wanted.
public enum LogitRows {
  /// None: the tokens only fill the cache.
  NONE,
  /// The last position's, enough to choose the next token.
  LAST,
  /// Every position's, in order.
  ALL
}
