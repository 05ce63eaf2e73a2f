package moxin.model.quantised;

/// Finds whole numbers q from −n to n − 1 and a scale of either sign so that x ≈ scale · q with the
/// least weighted square error.
///
/// The number that is greatest in magnitude goes to −n or near it. Roundings are tried for that
/// many levels and up to nine tenths more or fewer, as ggml's quantisers do; for each, the best
/// scale is that of weighted least squares. For one thread.
final class SymmetricFit {
  private static final int GUESSES = 9;
  private static final double STEP = 0.1;

  /// Below it all numbers are taken for 0.
  private static final double TINY = 1e-15;

  private final int n;

  /// The whole numbers found.
  final int[] levels;

  SymmetricFit(int count, int n) {
    this.n = n;
    this.levels = new int[count];
  }

  /// Fits numbers `from` on of `x` and returns the scale.
  ///
  /// @param weights of the same numbers, from 0 up
  float fit(float[] x, int from, double[] weights) {
    double extreme = 0;
    for (int i = 0; i < levels.length; i++) {
      if (Math.abs(x[from + i]) > Math.abs(extreme)) {
        extreme = x[from + i];
      }
    }
    java.util.Arrays.fill(levels, 0);
    if (Math.abs(extreme) < TINY) {
      return 0;
    }
    double best = 0;
    double scale = 0;
    for (int guess = -GUESSES; guess <= GUESSES; guess++) {
      double inverse = -(n + STEP * guess) / extreme;
      double sumXl = 0;
      double sumLl = 0;
      for (int i = 0; i < levels.length; i++) {
        double level = level(inverse * x[from + i]);
        double weighted = weights[i] * level;
        sumXl += weighted * x[from + i];
        sumLl += weighted * level;
      }
      if (sumLl > 0 && sumXl * sumXl > best * sumLl) {
        best = sumXl * sumXl / sumLl;
        scale = sumXl / sumLl;
        for (int i = 0; i < levels.length; i++) {
          levels[i] = (int) level(inverse * x[from + i]);
        }
      }
    }
    return (float) scale;
  }

  private double level(double value) {
    return Math.max(-n, Math.min(n - 1, Math.rint(value)));
  }
}
