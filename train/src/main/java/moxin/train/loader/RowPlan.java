package moxin.train.loader;

import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Which parts of documents share a row: rows of one document each, then rows of what is left over.
final class RowPlan {
  private final int length;
  private final long[] fullBefore;
  private final int[] remainders;
  private final int[] rowStarts;

  private RowPlan(int length, long[] fullBefore, int[] remainders, int[] rowStarts) {
    this.length = length;
    this.fullBefore = fullBefore;
    this.remainders = remainders;
    this.rowStarts = rowStarts;
  }

  /// The plan for rows of `length` ids.
  static RowPlan of(TokenSource source, int length) {
    int documents = Math.toIntExact(source.documentCount());
    long[] fullBefore = new long[documents + 1];
    int[] byLength = new int[length + 1];
    for (int i = 0; i < documents; i++) {
      fullBefore[i + 1] = fullBefore[i] + source.documentLength(i) / length;
      byLength[(int) (source.documentLength(i) % length)]++;
    }
    int[] ordered = longestFirst(source, length, byLength);
    return packed(source, length, fullBefore, ordered);
  }

  /// The documents that leave a remainder, the longest remainder first, equal ones in file order.
  private static int[] longestFirst(TokenSource source, int length, int[] byLength) {
    int[] next = new int[length + 1];
    for (int l = length - 1; l >= 1; l--) {
      next[l - 1] = next[l] + byLength[l];
    }
    int[] ordered = new int[next[0]];
    for (int i = 0; i < source.documentCount(); i++) {
      int left = (int) (source.documentLength(i) % length);
      if (left > 0) {
        ordered[next[left]++] = i;
      }
    }
    return ordered;
  }

  /// Best fit: each remainder goes into the row with the least room that is enough.
  private static RowPlan packed(TokenSource source, int length, long[] fullBefore, int[] ordered) {
    int[] rowOf = new int[ordered.length];
    int[] newest = new int[length + 1];
    int[] older = new int[ordered.length];
    Arrays.fill(newest, -1);
    BitSet room = new BitSet(length + 1);
    int rows = 0;
    for (int i = 0; i < ordered.length; i++) {
      int left = (int) (source.documentLength(ordered[i]) % length);
      int space = room.nextSetBit(left);
      int row;
      if (space < 0) {
        row = rows++;
        space = length;
      } else {
        row = newest[space];
        newest[space] = older[row];
        room.set(space, newest[space] >= 0);
      }
      rowOf[i] = row;
      int after = space - left;
      if (after > 0) {
        older[row] = newest[after];
        newest[after] = row;
        room.set(after);
      }
    }
    int[] starts = new int[rows + 1];
    for (int row : rowOf) {
      starts[row + 1]++;
    }
    for (int row = 0; row < rows; row++) {
      starts[row + 1] += starts[row];
    }
    int[] at = Arrays.copyOf(starts, rows);
    int[] grouped = new int[ordered.length];
    for (int i = 0; i < ordered.length; i++) {
      grouped[at[rowOf[i]]++] = ordered[i];
    }
    return new RowPlan(length, fullBefore, grouped, starts);
  }

  /// All rows.
  long rows() {
    return fullRows() + rowStarts.length - 1;
  }

  /// The rows that one document fills.
  long fullRows() {
    return fullBefore[fullBefore.length - 1];
  }

  /// The document that fills row `index`.
  int documentOfFullRow(long index) {
    return Search.last(fullBefore, fullBefore.length - 1, index);
  }

  /// Where in `document` row `index` begins.
  long offsetOfFullRow(long index, int document) {
    return (index - fullBefore[document]) * length;
  }

  /// The documents whose remainders share row `index` of those rows.
  int[] remainders(long index) {
    int row = Math.toIntExact(index);
    return Arrays.copyOfRange(remainders, rowStarts[row], rowStarts[row + 1]);
  }

  /// The rows in which `document` stands.
  long[] rowsOf(int document) {
    LongStream full = LongStream.range(fullBefore[document], fullBefore[document + 1]);
    LongStream shared =
        IntStream.range(0, remainders.length)
            .filter(i -> remainders[i] == document)
            .mapToLong(i -> fullRows() + rowOfRemainder(i));
    return LongStream.concat(full, shared).toArray();
  }

  private int rowOfRemainder(int index) {
    int row = Arrays.binarySearch(rowStarts, index);
    return row >= 0 ? row : -row - 2;
  }
}
