package moxin.infer;

/// The inner loops of the engine. Stateless and thread-safe.
///
/// Every output element is one chain of fused multiply-adds in ascending order along the inner
/// dimension, starting at +0, so that all implementations agree to the last bit whatever the width
/// of their vectors and however the work is cut.
interface Kernels {

  /// Rows of a tile, and positions of a block of cached keys.
  int TILE = 32;

  /// The name for messages.
  String name();

  /// Multiplies one tile of `weights` with several tokens.
  ///
  /// @param x inputs, token `n` from `n · xStride`
  /// @param y outputs; token `n`'s rows of this tile are written from `n · yStride + 32 · tile`
  void multiplyTile(
      PackedMatrix weights, int tile, float[] x, int xStride, int tokens, float[] y, int yStride);

  /// The dot products of one query with 32 keys.
  ///
  /// @param keys `(depth, 32)` from `keysAt`
  /// @param query `depth` numbers from `queryAt`
  /// @param scores 32 numbers from `scoresAt`, overwritten
  void scores(
      float[] keys,
      int keysAt,
      float[] query,
      int queryAt,
      int depth,
      float[] scores,
      int scoresAt);

  /// Adds `weight · values` to `sums`, `count` numbers.
  void addScaled(float weight, float[] values, int valuesAt, float[] sums, int sumsAt, int count);
}
