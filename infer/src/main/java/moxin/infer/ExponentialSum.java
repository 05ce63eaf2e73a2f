package moxin.infer;

/// Sums of exponentials of candidates' logits, by a table instead of `Math.exp` and within
/// [#RELATIVE_ERROR] of what adding those one by one gives.
///
/// e^x is 2^(n/1024) · e^r with whole n: the first factor is an exponent and an entry of a table,
/// the second a polynomial of degree 2 on |r| ≤ ln 2 / 2048, whose error is below 7e-12.
final class ExponentialSum {
  /// How far a sum and the exact one may be apart, relative to either; for up to a million
  /// candidates most of it is the roundings of the additions.
  static final double RELATIVE_ERROR = 1e-9;

  private static final int BITS = 10;
  private static final int ENTRIES = 1 << BITS;
  private static final double PER_ENTRY = Math.log(2) / ENTRIES;
  private static final int EXPONENT_SHIFT = 52;
  private static final long EXPONENT_BIAS = 1023;

  /// Adding it to a number of moderate size leaves the nearest whole number in the low bits.
  private static final double ROUNDER = 0x1.8p52;

  /// Below it, in entries, an exponential is taken for 2^−1000: nothing beside the largest, 1.
  private static final double LEAST = -1000.0 * ENTRIES;

  private static final double[] TABLE = new double[ENTRIES];

  static {
    for (int i = 0; i < ENTRIES; i++) {
      TABLE[i] = Math.exp(i * PER_ENTRY);
    }
  }

  private ExponentialSum() {}

  /// About Σ e^((logit − largest) / temperature) over all candidates.
  static double of(TokenRanking ranking, double temperature) {
    double scale = 1 / (temperature * PER_ENTRY);
    double max = ranking.max();
    int count = ranking.count();
    double even = 0;
    double odd = 0;
    int i = 0;
    for (; i + 1 < count; i += 2) {
      even += exponential((ranking.logitAt(i) - max) * scale);
      odd += exponential((ranking.logitAt(i + 1) - max) * scale);
    }
    return i < count ? even + odd + exponential((ranking.logitAt(i) - max) * scale) : even + odd;
  }

  /// e to the `entries` · ln 2 / 1024, which is not positive.
  private static double exponential(double entries) {
    double bounded = Math.max(entries, LEAST);
    double shifted = bounded + ROUNDER;
    int n = (int) Double.doubleToRawLongBits(shifted);
    double r = (bounded - (shifted - ROUNDER)) * PER_ENTRY;
    double power =
        Double.longBitsToDouble((EXPONENT_BIAS + (n >> BITS)) << EXPONENT_SHIFT)
            * TABLE[n & (ENTRIES - 1)];
    return power * (1 + r * (1 + 0.5 * r));
  }
}
