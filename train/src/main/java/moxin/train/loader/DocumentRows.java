package moxin.train.loader;

/// Documents end to end in the order of the shards, each its own segment; one that does not fit
/// goes on in the next row. Every token is an input exactly once per epoch.
final class DocumentRows implements Rows {
  private final TokenSource source;
  private final End end;
  private Cursor cursor;

  DocumentRows(TokenSource source, End end, Cursor cursor) {
    this.source = source;
    this.end = end;
    this.cursor = cursor;
  }

  @Override
  public void next(RowBuffer into, int row) {
    int[] tokens = new int[into.length + 1];
    int position = 0;
    for (int segment = 0; position < into.length; segment++) {
      if (cursor.index() == source.documentCount()) {
        if (end == End.PAD) {
          into.pad(row, position, segment);
          return;
        }
        cursor = new Cursor(cursor.epoch() + 1, 0, 0);
      }
      long document = cursor.index();
      long left = source.documentLength(document) - cursor.offset();
      int count = (int) Math.min(left, into.length - position);
      boolean ends = count == left;
      long from = source.documentOffset(document) + cursor.offset();
      source.copy(from, tokens, 0, ends ? count : count + 1);
      into.put(row, position, segment, tokens, count, ends);
      position += count;
      cursor =
          ends
              ? new Cursor(cursor.epoch(), cursor.index() + 1, 0)
              : new Cursor(cursor.epoch(), cursor.index(), cursor.offset() + count);
    }
  }

  @Override
  public Cursor cursor() {
    return cursor;
  }

  @Override
  public boolean exhausted() {
    return end == End.PAD && cursor.index() == source.documentCount();
  }
}
