package moxin.train;

/// Token ids to learn from, `(B, T)` row-major.
///
/// @param rows B
/// @param length T
/// @param ids `(B, T)` input ids
/// @param targets `(B, T)` the id each position is to predict, or [#IGNORED]
/// @param segments `(B, T)` the document within its row that a position belongs to, non-decreasing
///   along a row; a position sees only its own document
public record Batch(int rows, int length, int[] ids, int[] targets, int[] segments) {

  /// The target of a position that is not learned from, as PyTorch's `ignore_index`.
  public static final int IGNORED = -100;

  public Batch {
    int size = Math.multiplyExact(rows, length);
    if (ids.length != size || targets.length != size || segments.length != size) {
      throw new IllegalArgumentException(
          "a batch of "
              + rows
              + " rows of "
              + length
              + " has ids, targets and segments of "
              + ids.length
              + ", "
              + targets.length
              + ", "
              + segments.length);
    }
  }

  /// The number of targets that are learned from.
  public long targetCount() {
    long count = 0;
    for (int target : targets) {
      if (target != IGNORED) {
        count++;
      }
    }
    return count;
  }
}
