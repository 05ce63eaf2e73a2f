package moxin.train.transformer;

/// The matrix products of a block, in the order of the forward pass.
enum Linear {
  /// Queries, keys and values, one below the other.
  PROJECTIONS,
  /// What attention writes into the residual stream.
  OUTPUT,
  /// Gate and up, one below the other.
  GATE_UP,
  /// What the feed-forward network writes into the residual stream.
  DOWN
}
