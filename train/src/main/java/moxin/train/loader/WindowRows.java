package moxin.train.loader;

import moxin.job.BadInputException;

/// Windows of T + 1 ids over the token stream. When shuffled, every epoch after the first moves all
/// windows by an offset of its own, so that rows differ from epoch to epoch.
final class WindowRows implements Rows {
  private final TokenSource source;
  private final int length;
  private final int stride;
  private final boolean shuffle;
  private final long seed;
  private final End end;
  private Cursor cursor;
  private long shift;
  private long count;
  private Permutation order;

  WindowRows(
      TokenSource source,
      int length,
      int stride,
      boolean shuffle,
      long seed,
      End end,
      Cursor cursor) {
    this.source = source;
    this.length = length;
    this.stride = stride;
    this.shuffle = shuffle;
    this.seed = seed;
    this.end = end;
    this.cursor = cursor;
    this.order = new Permutation(1, 0);
    if (end == End.WRAP && source.size() <= length) {
      throw new BadInputException(
          "source "
              + source.label()
              + " has "
              + source.size()
              + " tokens; one row of contextLength "
              + length
              + " needs "
              + (length + 1));
    }
    open(cursor.epoch());
  }

  /// How many windows the first epoch has.
  static long count(long size, int length, int stride) {
    return size <= length ? 0 : (size - length - 1) / stride + 1;
  }

  @Override
  public void next(RowBuffer into, int row) {
    if (cursor.index() == count) {
      if (end == End.PAD) {
        into.pad(row, 0, 0);
        return;
      }
      cursor = new Cursor(cursor.epoch() + 1, 0, 0);
      open(cursor.epoch());
    }
    long window = shuffle ? order.at(cursor.index()) : cursor.index();
    long from = shift + window * stride;
    int ids = (int) Math.min(length + 1L, source.size() - from);
    int[] tokens = new int[length + 1];
    source.copy(from, tokens, 0, ids);
    into.put(row, 0, 0, tokens, ids - 1, false);
    if (ids <= length) {
      into.pad(row, ids - 1, 1);
    }
    cursor = new Cursor(cursor.epoch(), cursor.index() + 1, 0);
  }

  @Override
  public Cursor cursor() {
    return cursor;
  }

  @Override
  public boolean exhausted() {
    return end == End.PAD && cursor.index() == count;
  }

  private void open(long epoch) {
    long room = source.size() - length - 1;
    boolean moved = shuffle && epoch > 0 && room > 0;
    long random = Permutation.mix(seed ^ 0x5DEECE66DL, epoch);
    shift = moved ? Math.floorMod(random, Math.min(stride, room + 1)) : 0;
    count =
        end == End.PAD
            ? Math.ceilDiv(source.size() - 1, stride)
            : count(source.size() - shift, length, stride);
    order = new Permutation(count, Rows.seedOf(seed, epoch));
  }
}
