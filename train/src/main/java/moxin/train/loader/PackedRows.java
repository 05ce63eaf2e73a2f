package moxin.train.loader;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/// Documents packed into rows that come in any order: a document longer than a row fills rows of
/// its own, and what is left of documents is put together by best fit, decreasing (Ding et al.
/// 2024, "Fewer Truncations Improve Language Modeling"). Nothing else is cut, every token is an
/// input exactly once per pass, and neighbouring rows have nothing to do with each other, so that a
/// batch is a fair sample.
final class PackedRows implements Rows {
  private final TokenSource source;
  private final int length;
  private final long seed;
  private final RowPlan plan;

  /// Rows of `length` ids of `source` in an order by `seed`.
  PackedRows(TokenSource source, int length, long seed) {
    this.source = source;
    this.length = length;
    this.seed = seed;
    this.plan = RowPlan.of(source, length);
  }

  @Override
  public List<Piece> row(long number) {
    long index = orderOf(number / plan.rows()).at(number % plan.rows());
    if (index < plan.fullRows()) {
      int document = plan.documentOfFullRow(index);
      return List.of(piece(document, plan.offsetOfFullRow(index, document), length));
    }
    List<Piece> pieces = new ArrayList<>();
    for (int document : plan.remainders(index - plan.fullRows())) {
      int count = (int) (source.documentLength(document) % length);
      pieces.add(piece(document, source.documentLength(document) - count, count));
    }
    return pieces;
  }

  private Piece piece(int document, long offset, int count) {
    boolean ends = offset + count == source.documentLength(document);
    return new Piece(source.documentOffset(document) + offset, count, ends);
  }

  @Override
  public long rowsOf(double passes) {
    return (long) (passes * plan.rows());
  }

  @Override
  public double passesOf(long rows) {
    return (double) rows / plan.rows();
  }

  @Override
  public LongStream rowsWith(long index, long limit) {
    long[] ofOnePass = plan.rowsOf(Math.toIntExact(index));
    long passes = Math.ceilDiv(limit, plan.rows());
    return LongStream.range(0, passes)
        .flatMap(
            pass -> {
              Permutation order = orderOf(pass);
              return LongStream.of(ofOnePass)
                  .map(row -> pass * plan.rows() + order.indexOf(row))
                  .sorted();
            })
        .filter(row -> row < limit);
  }

  private Permutation orderOf(long epoch) {
    return new Permutation(plan.rows(), Rows.seedOf(seed, epoch));
  }
}
