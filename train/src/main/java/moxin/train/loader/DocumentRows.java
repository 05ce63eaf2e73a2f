package moxin.train.loader;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/// Documents end to end in the order of the shards, each its own segment; one that does not fit
/// goes on in the next row. Every token is an input exactly once per pass.
final class DocumentRows implements Rows {
  private final TokenSource source;
  private final int length;
  private final long[] before;

  /// Rows of `length` ids of `source`.
  DocumentRows(TokenSource source, int length) {
    this.source = source;
    this.length = length;
    int documents = Math.toIntExact(source.documentCount());
    this.before = new long[documents + 1];
    for (int i = 0; i < documents; i++) {
      before[i + 1] = before[i] + source.documentLength(i);
    }
  }

  @Override
  public List<Piece> row(long number) {
    return pieces(Math.multiplyExact(number, length), length);
  }

  /// Row `number` of a single pass: the last one is short, those after it are empty.
  List<Piece> rowOfOnePass(long number) {
    long from = Math.multiplyExact(number, length);
    return pieces(from, Math.clamp(tokens() - from, 0, length));
  }

  private List<Piece> pieces(long from, int room) {
    List<Piece> pieces = new ArrayList<>();
    long at = from % tokens();
    int document = Search.last(before, before.length - 1, at);
    for (int left = room; left > 0; ) {
      long offset = at - before[document];
      long rest = source.documentLength(document) - offset;
      int count = (int) Math.min(rest, left);
      pieces.add(new Piece(source.documentOffset(document) + offset, count, count == rest));
      left -= count;
      document = document + 1 == before.length - 1 ? 0 : document + 1;
      at = before[document];
    }
    return pieces;
  }

  @Override
  public long rowsOf(double passes) {
    return (long) (passes * tokens() / length);
  }

  @Override
  public double passesOf(long rows) {
    return (double) rows * length / tokens();
  }

  @Override
  public LongStream rowsWith(long index, long limit) {
    int document = Math.toIntExact(index);
    long passes = Math.ceilDiv(Math.multiplyExact(limit, length), tokens());
    return LongStream.range(0, passes)
        .flatMap(
            pass -> {
              long first = (pass * tokens() + before[document]) / length;
              long last = (pass * tokens() + before[document + 1] - 1) / length;
              return LongStream.rangeClosed(first, Math.min(last, limit - 1));
            })
        .distinct();
  }

  private long tokens() {
    return before[before.length - 1];
  }
}
