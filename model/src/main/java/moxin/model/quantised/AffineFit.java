package moxin.model.quantised;

/// Finds whole numbers q from 0 to a top, a scale and a minimum so that x ≈ scale · q − min with
/// the least weighted square error, where neither is negative.
///
/// For a given rounding of all numbers the best scale and minimum are those of weighted least
/// squares. Roundings are tried for a range of first guesses, from one level fewer between the
/// least and the greatest number to one level more, as ggml's quantisers do. For one thread.
final class AffineFit {
  private final int top;
  private final double step;
  private final int[] trial;

  /// The whole numbers found.
  final int[] levels;

  private double scale;
  private double min;
  private double sumWeights;

  /// @param count how many numbers are fitted together
  /// @param top the greatest level
  /// @param step between first guesses, in levels
  AffineFit(int count, int top, double step) {
    this.top = top;
    this.step = step;
    this.levels = new int[count];
    this.trial = new int[count];
  }

  float scale() {
    return (float) scale;
  }

  float min() {
    return (float) min;
  }

  /// Fits numbers `from` on of `x`.
  ///
  /// @param weights of the same numbers, from 0 up
  void fit(float[] x, int from, double[] weights) {
    double low = 0;
    double high = Double.NEGATIVE_INFINITY;
    double sumX = 0;
    sumWeights = 0;
    for (int i = 0; i < levels.length; i++) {
      low = Math.min(low, x[from + i]);
      high = Math.max(high, x[from + i]);
      sumWeights += weights[i];
      sumX += weights[i] * x[from + i];
    }
    java.util.Arrays.fill(levels, 0);
    scale = 0;
    min = -low;
    if (high <= low || sumWeights <= 0) {
      return;
    }
    double best = Double.POSITIVE_INFINITY;
    int guesses = (int) Math.rint(2 / step);
    for (int guess = 0; guess <= guesses; guess++) {
      double inverse = (top - 1 + step * guess) / (high - low);
      best = round(x, from, weights, inverse, low, sumX, best);
    }
  }

  /// Tries one rounding, keeps it if its error is below `best`, and returns the lesser error. What
  /// all roundings have in common is left out of it.
  private double round(
      float[] x, int from, double[] weights, double inverse, double low, double sumX, double best) {
    double sumL = 0;
    double sumLl = 0;
    double sumXl = 0;
    for (int i = 0; i < trial.length; i++) {
      double level = Math.max(0, Math.min(top, Math.rint(inverse * (x[from + i] - low))));
      trial[i] = (int) level;
      double weighted = weights[i] * level;
      sumL += weighted;
      sumLl += weighted * level;
      sumXl += weighted * x[from + i];
    }
    double determinant = sumWeights * sumLl - sumL * sumL;
    double s = determinant > 0 ? (sumWeights * sumXl - sumX * sumL) / determinant : 0;
    double offset = determinant > 0 ? (sumLl * sumX - sumL * sumXl) / determinant : 1;
    if (offset > 0) {
      offset = 0;
      s = sumLl > 0 ? sumXl / sumLl : 0;
    }
    if (s < 0) {
      return best;
    }
    double error =
        s * (s * sumLl + 2 * (offset * sumL - sumXl)) + offset * (offset * sumWeights - 2 * sumX);
    if (error < best) {
      System.arraycopy(trial, 0, levels, 0, trial.length);
      scale = s;
      min = -offset;
      return error;
    }
    return best;
  }
}
