package moxin.model.quantised;

import org.jspecify.annotations.Nullable;

/// How blocks of 32 elements with one scale are rounded: as ggml's reference does where all
/// elements are alike, and by least squares where some are more important.
final class Rounding {
  private static final double STEP = 0.05;

  private Rounding() {}

  /// w = d · q + m.
  record Affine(float d, float m) {}

  /// Rounds to w = d · (level − zero) with levels from 0 to 2 · zero − 1 and returns d. The number
  /// that is greatest in magnitude has level 0, which reaches one further than the greatest.
  static float symmetric(
      float[] row, int at, float @Nullable [] importance, int zero, int[] levels) {
    if (importance != null) {
      double[] weights = weights(row, at, importance, levels.length);
      SymmetricFit fit = new SymmetricFit(levels.length, zero);
      float d = fit.fit(row, at, weights);
      for (int i = 0; i < levels.length; i++) {
        levels[i] = fit.levels[i] + zero;
      }
      return d;
    }
    float extreme = 0;
    for (int i = 0; i < levels.length; i++) {
      if (Math.abs(row[at + i]) > Math.abs(extreme)) {
        extreme = row[at + i];
      }
    }
    float d = extreme / -zero;
    float inverse = inverse(d);
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Math.min(2 * zero - 1, (int) (row[at + i] * inverse + (zero + 0.5f)));
    }
    return d;
  }

  /// Rounds to w = d · level + m with levels from 0 to `top`.
  static Affine affine(float[] row, int at, float @Nullable [] importance, int top, int[] levels) {
    if (importance != null) {
      double[] weights = weights(row, at, importance, levels.length);
      AffineFit fit = new AffineFit(levels.length, top, STEP);
      fit.fit(row, at, weights);
      System.arraycopy(fit.levels, 0, levels, 0, levels.length);
      return new Affine(fit.scale(), -fit.min());
    }
    float low = row[at];
    float high = row[at];
    for (int i = 1; i < levels.length; i++) {
      low = Math.min(low, row[at + i]);
      high = Math.max(high, row[at + i]);
    }
    float d = (high - low) / top;
    float inverse = inverse(d);
    for (int i = 0; i < levels.length; i++) {
      levels[i] = Math.min(top, (int) ((row[at + i] - low) * inverse + 0.5f));
    }
    return new Affine(d, low);
  }

  /// 1 / d, or 0 where that is no number.
  static float inverse(float d) {
    return Float.isInfinite(1 / d) ? 0 : 1 / d;
  }

  /// The nearest whole number; of two, the one further from 0.
  static int halvesAway(float value) {
    return (int) (value + Math.copySign(0.5, value));
  }

  private static double[] weights(float[] row, int at, float[] importance, int count) {
    double[] weights = new double[count];
    Weights.important(row, at, importance, Weights.meanSquare(row, 0, row.length), weights);
    return weights;
  }
}
