package moxin.train.loader;

/// In which order rows are drawn from several sources.
///
/// Row k of source i, counted from 0, is due at (k + ½)/wᵢ, where wᵢ is the source's share; rows
/// are drawn as they fall due, of equal ones that of the first source. After t rows no source is
/// further than half a row and half its share of the number of sources from what its share says.
/// Being a merge of n fixed sequences, the order needs no history: which rows the first t are, and
/// when a row of a source is drawn, are found by bisection (the divisor method of Webster and
/// Sainte-Laguë).
final class Mixture {
  private final double[] shares;
  private final long[] limits;

  /// A mixture of sources by their shares.
  ///
  /// @param shares positive, one for each source; only their ratios count
  /// @param limits how many rows each source has; the others go on without it
  Mixture(double[] shares, long[] limits) {
    double sum = 0;
    for (double share : shares) {
      sum += share;
    }
    this.shares = new double[shares.length];
    for (int i = 0; i < shares.length; i++) {
      this.shares[i] = shares[i] / sum;
    }
    this.limits = limits.clone();
  }

  /// The source's share of the rows, of 1 in all.
  double share(int source) {
    return shares[source];
  }

  /// The source whose row comes after `drawn` rows of each; −1 when none has any left.
  int next(long[] drawn) {
    int best = -1;
    for (int i = 0; i < shares.length; i++) {
      boolean left = drawn[i] < limits[i];
      if (left && (best < 0 || due(i, drawn[i]) < due(best, drawn[best]))) {
        best = i;
      }
    }
    return best;
  }

  /// How many rows all sources together have; [Long#MAX_VALUE] if one has no limit.
  long rows() {
    long sum = 0;
    for (long limit : limits) {
      if (limit == Long.MAX_VALUE) {
        return Long.MAX_VALUE;
      }
      sum = Math.addExact(sum, limit);
    }
    return sum;
  }

  /// How many rows of each source are among the first `rows`, which must be at most [#rows].
  long[] after(long rows) {
    long low = 0; // bits of a time by which fewer than `rows` rows are due
    long high = Double.doubleToRawLongBits(Double.MAX_VALUE);
    while (high - low > 1) {
      long middle = low + (high - low) / 2;
      if (sum(dueBy(Double.longBitsToDouble(middle))) < rows) {
        low = middle;
      } else {
        high = middle;
      }
    }
    long[] counts = dueBy(Double.longBitsToDouble(low));
    long missing = rows - sum(counts);
    long[] more = dueBy(Double.longBitsToDouble(high));
    for (int i = 0; i < counts.length && missing > 0; i++) {
      long taken = Math.min(missing, more[i] - counts[i]);
      counts[i] += taken;
      missing -= taken;
    }
    return counts;
  }

  /// How many rows are drawn before row `row` of `source`, whatever that source's limit.
  long before(int source, long row) {
    double time = due(source, row);
    long[] counts = dueBy(Math.nextDown(time));
    long sum = row;
    for (int i = 0; i < counts.length; i++) {
      if (i != source) {
        sum += i < source ? dueBy(i, time) : counts[i];
      }
    }
    return sum;
  }

  private long[] dueBy(double time) {
    long[] counts = new long[shares.length];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = dueBy(i, time);
    }
    return counts;
  }

  /// How many rows of source `i` are due at `time` or before.
  private long dueBy(int i, double time) {
    double estimate = time * shares[i] + 0.5;
    if (estimate >= limits[i] + 2.0) {
      return limits[i];
    }
    long count = Math.max(0, (long) estimate - 2);
    while (count < limits[i] && due(i, count) <= time) {
      count++;
    }
    return count;
  }

  private double due(int i, long row) {
    return (row + 0.5) / shares[i];
  }

  private static long sum(long[] counts) {
    long sum = 0;
    for (long count : counts) {
      sum = count > Long.MAX_VALUE - sum ? Long.MAX_VALUE : sum + count;
    }
    return sum;
  }
}
