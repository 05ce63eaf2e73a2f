package moxin.train.transformer;

import java.util.OptionalInt;
import moxin.train.Batch;

/// Which keys each position of a slice sees: those from its first visible one to itself. Documents
/// and the sliding window both only move the first.
///
/// @param first `(rows, length)`, positions within the row; non-decreasing along a row
record VisibleRange(int rows, int length, int[] first) {

  /// The ranges of rows `[from, from + rows)` of a batch.
  static VisibleRange of(Batch batch, int from, int rows, OptionalInt window) {
    int length = batch.length();
    int reach = window.orElse(length);
    int[] first = new int[rows * length];
    for (int row = 0; row < rows; row++) {
      int start = 0;
      for (int t = 0; t < length; t++) {
        int at = (from + row) * length + t;
        if (t > 0 && batch.segments()[at] != batch.segments()[at - 1]) {
          start = t;
        }
        first[row * length + t] = Math.max(start, t - reach + 1);
      }
    }
    return new VisibleRange(rows, length, first);
  }

  /// The first key that position `t` of `row` sees.
  int first(int row, int t) {
    return first[row * length + t];
  }
}
