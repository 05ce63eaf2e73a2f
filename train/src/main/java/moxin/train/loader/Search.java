package moxin.train.loader;

/// Search in sorted arrays.
final class Search {

  private Search() {}

  /// The last of the first `count` elements of `sorted` that is at most `value`; 0 where none is.
  static int last(long[] sorted, int count, long value) {
    int low = 0;
    int high = count - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (sorted[middle] <= value) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
}
