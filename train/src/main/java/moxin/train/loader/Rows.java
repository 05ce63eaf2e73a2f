package moxin.train.loader;

/// Rows of one source, one after the other.
sealed interface Rows permits DocumentRows, PackedRows, WindowRows {

  /// What follows the last document.
  enum End {
    /// The next epoch.
    WRAP,
    /// Positions that are not learned from.
    PAD
  }

  /// Fills row `row` of `into`.
  void next(RowBuffer into, int row);

  /// Where the next row begins.
  Cursor cursor();

  /// Whether a pass that does not wrap is over.
  boolean exhausted();

  /// The order of the items of an epoch.
  static long seedOf(long seed, long epoch) {
    return Permutation.mix(seed, epoch + 1);
  }
}
