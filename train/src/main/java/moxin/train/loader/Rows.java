package moxin.train.loader;

import java.util.List;
import java.util.stream.LongStream;

/// The rows of one source by their number: pass after pass over the source, without end. What a row
/// holds follows from its number alone, so that any row can be found without those before it.
/// Immutable but for what it remembers; not thread-safe.
sealed interface Rows permits DocumentRows, PackedRows, WindowRows {

  /// The segments of row `number`, counted from 0; what they leave of the row is padding.
  List<Piece> row(long number);

  /// How many rows begin and end within the first `passes` passes.
  long rowsOf(double passes);

  /// How many passes the first `rows` rows are.
  double passesOf(long rows);

  /// The numbers below `limit` of the rows that hold a token of document `index`, in order.
  LongStream rowsWith(long index, long limit);

  /// The order of the items of an epoch.
  static long seedOf(long seed, long epoch) {
    return Permutation.mix(seed, epoch + 1);
  }
}
