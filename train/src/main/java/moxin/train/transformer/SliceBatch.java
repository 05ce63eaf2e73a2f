package moxin.train.transformer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

  /// The rows of `batch` in at most `count` slices of nearly equal size.
  static List<SliceBatch> slices(Batch batch, int count, OptionalInt window) {
    int parts = Math.min(count, batch.rows());
    List<SliceBatch> slices = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      int from = i * batch.rows() / parts;
      int to = (i + 1) * batch.rows() / parts;
      slices.add(of(batch, from, to - from, window));
    }
    return slices;
  }

  /// Checks that ids and targets are in the vocabulary.
  static void requireIds(Batch batch, int vocabSize) {
    for (int i = 0; i < batch.ids().length; i++) {
      int id = batch.ids()[i];
      int target = batch.targets()[i];
      boolean known = id >= 0 && id < vocabSize;
      if (!known || (target != Batch.IGNORED && (target < 0 || target >= vocabSize))) {
        throw new IllegalArgumentException(
            "position "
                + i
                + " of the batch has id "
                + id
                + " and target "
                + target
                + "; the vocabulary has "
                + vocabSize);
      }
    }
  }

  /// N.
  int positions() {
    return rows * length;
  }
}
