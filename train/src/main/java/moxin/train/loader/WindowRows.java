package moxin.train.loader;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import moxin.job.BadInputException;

/// Windows of T + 1 ids over the token stream. When shuffled, every pass after the first moves all
/// windows by an offset of its own, so that rows differ from pass to pass.
final class WindowRows implements Rows {
  private final TokenSource source;
  private final int length;
  private final int stride;
  private final boolean shuffle;
  private final long seed;

  /// How many windows the passes before each known one have; grows with the passes asked for.
  private long[] before = {0};

  private int known = 1;

  /// Windows of `length` ids, each `stride` after the one before, in an order by `seed` if
  /// `shuffle`.
  ///
  /// @throws BadInputException if the source has no window
  WindowRows(TokenSource source, int length, int stride, boolean shuffle, long seed) {
    this.source = source;
    this.length = length;
    this.stride = stride;
    this.shuffle = shuffle;
    this.seed = seed;
    if (source.size() <= length) {
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
  }

  /// How many windows the first pass has.
  static long count(long size, int length, int stride) {
    return size <= length ? 0 : (size - length - 1) / stride + 1;
  }

  /// Row `number` of one pass in order, each window `length` after the one before: the last one is
  /// short, those after it are empty.
  static List<Piece> rowOfOnePass(TokenSource source, int length, long number) {
    long from = Math.multiplyExact(number, length);
    int count = Math.clamp(source.size() - 1 - from, 0, length);
    return count == 0 ? List.of() : List.of(new Piece(from, count, false));
  }

  @Override
  public List<Piece> row(long number) {
    long pass = passOf(number);
    long index = number - before[(int) pass];
    long window = shuffle ? orderOf(pass).at(index) : index;
    return List.of(new Piece(shiftOf(pass) + window * stride, length, false));
  }

  @Override
  public long rowsOf(double passes) {
    long whole = (long) passes;
    learn(whole);
    return before[(int) whole] + (long) ((passes - whole) * countOf(whole));
  }

  @Override
  public double passesOf(long rows) {
    long pass = passOf(rows);
    return pass + (double) (rows - before[(int) pass]) / countOf(pass);
  }

  @Override
  public LongStream rowsWith(long index, long limit) {
    long first = source.documentOffset(index);
    long end = first + source.documentLength(index);
    return LongStream.rangeClosed(0, passOf(Math.max(0, limit - 1)))
        .flatMap(pass -> rowsWith(first, end, pass))
        .filter(row -> row < limit);
  }

  /// The rows of a pass whose T + 1 ids reach into `[first, end)`.
  private LongStream rowsWith(long first, long end, long pass) {
    long shift = shiftOf(pass);
    long from = Math.max(0, Math.ceilDiv(first - shift - length, stride));
    long to = Math.min(countOf(pass) - 1, Math.floorDiv(end - 1 - shift, stride));
    Permutation order = orderOf(pass);
    return LongStream.rangeClosed(from, to)
        .map(window -> before[(int) pass] + (shuffle ? order.indexOf(window) : window))
        .sorted();
  }

  private long passOf(long number) {
    while (before[known - 1] <= number) {
      learn(known);
    }
    return Search.last(before, known, number);
  }

  /// Makes the number of windows before `pass` known.
  private void learn(long pass) {
    int wanted = Math.toIntExact(Math.addExact(pass, 1));
    while (known < wanted) {
      if (known == before.length) {
        before = Arrays.copyOf(before, 2 * known);
      }
      before[known] = before[known - 1] + countOf(known - 1);
      known++;
    }
  }

  private long countOf(long pass) {
    return count(source.size() - shiftOf(pass), length, stride);
  }

  private long shiftOf(long pass) {
    long room = source.size() - length - 1;
    boolean moved = shuffle && pass > 0 && room > 0;
    long random = Permutation.mix(seed ^ 0x5DEECE66DL, pass);
    return moved ? Math.floorMod(random, Math.min(stride, room + 1)) : 0;
  }

  private Permutation orderOf(long pass) {
    return new Permutation(countOf(pass), Rows.seedOf(seed, pass));
  }
}
