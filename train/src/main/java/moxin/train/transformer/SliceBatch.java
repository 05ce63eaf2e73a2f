package moxin.train.transformer;

import java.util.Arrays;
import java.util.OptionalInt;
import moxin.train.Batch;

/// Some rows of a batch.
///
/// @param ids `(N)` of these rows
/// @param targets `(N)` of these rows
record SliceBatch(int rows, int length, int[] ids, int[] targets, VisibleRange visible) {

  /// Rows `[from, from + rows)` of `batch`.
  static SliceBatch of(Batch batch, int from, int rows, OptionalInt window) {
    int start = from * batch.length();
    int end = (from + rows) * batch.length();
    return new SliceBatch(
        rows,
        batch.length(),
        Arrays.copyOfRange(batch.ids(), start, end),
        Arrays.copyOfRange(batch.targets(), start, end),
        VisibleRange.of(batch, from, rows, window));
  }

  /// N.
  int positions() {
    return rows * length;
  }
}
