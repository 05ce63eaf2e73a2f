package moxin.train.loader;

import java.util.Optional;
import moxin.train.Batch;
import moxin.train.recipe.Packing;

/// One pass over a source in its order, for evaluation. The last row is padded with positions that
/// are not counted.
public final class ValidationBatches {
  private final Rows rows;
  private final int batchSize;
  private final int length;

  /// A pass over `source`.
  ///
  /// @param batchSize B
  /// @param length T
  public ValidationBatches(TokenSource source, Packing packing, int batchSize, int length) {
    this.batchSize = batchSize;
    this.length = length;
    this.rows =
        switch (packing) {
          case DOCUMENTS -> new DocumentRows(source, Rows.End.PAD, Cursor.START);
          case CONTIGUOUS ->
              new WindowRows(source, length, length, false, 0, Rows.End.PAD, Cursor.START);
        };
  }

  /// The next batch; empty when all was read.
  public Optional<Batch> next() {
    if (rows.exhausted()) {
      return Optional.empty();
    }
    RowBuffer buffer = new RowBuffer(batchSize, length);
    for (int row = 0; row < batchSize; row++) {
      rows.next(buffer, row);
    }
    return Optional.of(buffer.batch());
  }
}
