package moxin.train.loader;

import java.util.Arrays;
import java.util.List;
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

  /// Fills row `row` with `pieces` of `source`, each its own segment, and pads the rest.
  void fill(int row, TokenSource source, List<Piece> pieces) {
    int[] tokens = new int[length + 1];
    int position = 0;
    for (int segment = 0; segment < pieces.size(); segment++) {
      Piece piece = pieces.get(segment);
      source.copy(piece.from(), tokens, 0, Math.toIntExact(piece.end() - piece.from()));
      put(row * length + position, segment, tokens, piece);
      position += piece.count();
    }
    Arrays.fill(targets, row * length + position, (row + 1) * length, Batch.IGNORED);
    Arrays.fill(segments, row * length + position, (row + 1) * length, pieces.size());
  }

  private void put(int at, int segment, int[] tokens, Piece piece) {
    int count = piece.count();
    System.arraycopy(tokens, 0, ids, at, count);
    System.arraycopy(tokens, 1, targets, at, count - 1);
    targets[at + count - 1] = piece.ends() ? Batch.IGNORED : tokens[count];
    Arrays.fill(segments, at, at + count, segment);
  }

  Batch batch() {
    return new Batch(rows, length, ids, targets, segments);
  }
}
