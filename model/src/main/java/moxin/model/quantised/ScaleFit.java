package moxin.model.quantised;

/// Finds whole numbers from 0 to [SixBitPairs#MAX] and an f16 unit so that scales ≈ unit · numbers
/// with the least weighted square error.
final class ScaleFit {
  private static final int GUESSES = 9;
  private static final double STEP = 0.1;

  private ScaleFit() {}

  /// The unit for `scales`, none of which is negative; their numbers go into `numbers`.
  ///
  /// @param weights what an error of each scale costs
  static short fit(float[] scales, double[] weights, int[] numbers) {
    double greatest = 0;
    for (float scale : scales) {
      greatest = Math.max(greatest, scale);
    }
    short unit = Float.floatToFloat16((float) (greatest / SixBitPairs.MAX));
    double best = error(scales, weights, unit);
    for (int guess = -GUESSES; guess <= GUESSES; guess++) {
      double trial = greatest / (SixBitPairs.MAX + STEP * guess);
      short rounded = Float.floatToFloat16((float) trial);
      double error = error(scales, weights, rounded);
      if (error < best) {
        best = error;
        unit = rounded;
      }
    }
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = number(scales[i], Float.float16ToFloat(unit));
    }
    return unit;
  }

  private static double error(float[] scales, double[] weights, short unit) {
    float value = Float.float16ToFloat(unit);
    double sum = 0;
    for (int i = 0; i < scales.length; i++) {
      double difference = scales[i] - (double) value * number(scales[i], value);
      sum += weights[i] * difference * difference;
    }
    return sum;
  }

  private static int number(float scale, float unit) {
    return unit == 0 ? 0 : (int) Math.min(SixBitPairs.MAX, Math.rint(scale / (double) unit));
  }
}
