package moxin.train.loader;

import java.util.Arrays;
import moxin.train.Batch;

/// A batch being filled.
final class RowBuffer {
  final int rows;
  final int length;
  final int[] ids;
  final int[] targets;
  final int[] segments;

  RowBuffer(int rows, int length) {
    this.rows = rows;
    this.length = length;
    this.ids = new int[rows * length];
    this.targets = new int[rows * length];
    this.segments = new int[rows * length];
  }

  /// Puts `count` positions of one document into row `row` from `position` on.
  ///
  /// @param tokens `count` ids and the one after them, unless the document ends
  void put(int row, int position, int segment, int[] tokens, int count, boolean ends) {
    int at = row * length + position;
    System.arraycopy(tokens, 0, ids, at, count);
    System.arraycopy(tokens, 1, targets, at, count - 1);
    targets[at + count - 1] = ends ? Batch.IGNORED : tokens[count];
    Arrays.fill(segments, at, at + count, segment);
  }

  /// Leaves the rest of row `row` empty.
  void pad(int row, int position, int segment) {
    int from = row * length + position;
    int to = (row + 1) * length;
    Arrays.fill(targets, from, to, Batch.IGNORED);
    Arrays.fill(segments, from, to, segment);
  }

  Batch batch() {
    return new Batch(rows, length, ids, targets, segments);
  }
}
