package moxin.train.loader;

/// Documents packed into rows that come in any order: a document longer than a row fills rows of
/// its own, and what is left of documents is put together by best fit, decreasing (Ding et al.
/// 2024, "Fewer Truncations Improve Language Modeling"). Nothing else is cut, every token is an
/// input exactly once per epoch, and neighbouring rows have nothing to do with each other, so that
/// a batch is a fair sample.
final class PackedRows implements Rows {
  private final TokenSource source;
  private final int length;
  private final long seed;
  private final RowPlan plan;
  private Cursor cursor;
  private Permutation order;

  PackedRows(TokenSource source, int length, long seed, Cursor cursor) {
    this.source = source;
    this.length = length;
    this.seed = seed;
    this.plan = RowPlan.of(source, length);
    this.cursor = cursor;
    this.order = orderOf(cursor.epoch());
  }

  @Override
  public void next(RowBuffer into, int row) {
    if (cursor.index() == plan.rows()) {
      cursor = new Cursor(cursor.epoch() + 1, 0, 0);
      order = orderOf(cursor.epoch());
    }
    fill(order.at(cursor.index()), into, row);
    cursor = new Cursor(cursor.epoch(), cursor.index() + 1, 0);
  }

  private void fill(long index, RowBuffer into, int row) {
    int[] tokens = new int[length + 1];
    if (index < plan.fullRows()) {
      int document = plan.documentOfFullRow(index);
      long offset = plan.offsetOfFullRow(index, document);
      put(document, offset, length, tokens, into, row, 0, 0);
      return;
    }
    int position = 0;
    int segment = 0;
    for (int document : plan.remainders(index - plan.fullRows())) {
      int count = (int) (source.documentLength(document) % length);
      long offset = source.documentLength(document) - count;
      put(document, offset, count, tokens, into, row, position, segment++);
      position += count;
    }
    if (position < length) {
      into.pad(row, position, segment);
    }
  }

  private void put(
      int document,
      long offset,
      int count,
      int[] tokens,
      RowBuffer into,
      int row,
      int position,
      int segment) {
    boolean ends = offset + count == source.documentLength(document);
    source.copy(source.documentOffset(document) + offset, tokens, 0, ends ? count : count + 1);
    into.put(row, position, segment, tokens, count, ends);
  }

  @Override
  public Cursor cursor() {
    return cursor;
  }

  @Override
  public boolean exhausted() {
    return false;
  }

  private Permutation orderOf(long epoch) {
    return new Permutation(plan.rows(), Rows.seedOf(seed, epoch));
  }
}
