package moxin.train.loader;

import java.util.List;
import java.util.Optional;
import moxin.train.Batch;
import moxin.train.recipe.Packing;

/// One pass over a source in its order, for evaluation. The last row is padded with positions that
/// are not counted.
public final class ValidationBatches {
  private final OnePass rows;
  private final TokenSource source;
  private final int batchSize;
  private final int length;
  private long next;

  /// The rows of one pass by their number; empty after the last.
  private interface OnePass {
    List<Piece> row(long number);
  }

  /// A pass over `source`.
  ///
  /// @param batchSize B
  /// @param length T
  public ValidationBatches(TokenSource source, Packing packing, int batchSize, int length) {
    this.source = source;
    this.batchSize = batchSize;
    this.length = length;
    this.rows =
        switch (packing) {
          case DOCUMENTS -> new DocumentRows(source, length)::rowOfOnePass;
          case CONTIGUOUS -> number -> WindowRows.rowOfOnePass(source, length, number);
        };
  }

  /// The next batch; empty when all was read.
  public Optional<Batch> next() {
    if (rows.row(next).isEmpty()) {
      return Optional.empty();
    }
    RowBuffer buffer = new RowBuffer(batchSize, length);
    for (int row = 0; row < batchSize; row++) {
      buffer.fill(row, source, rows.row(next++));
    }
    return Optional.of(buffer.batch());
  }
}
