package moxin.model.quantised;

/// What an error of each number costs when a block is fitted. Large numbers cost more; how much
/// more, follows ggml.
final class Weights {

  private Weights() {}

  static double meanSquare(float[] values, int from, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) values[from + i] * values[from + i];
    }
    return sum / count;
  }

  /// The root of the mean square, plus the magnitude.
  static void plain(float[] values, int from, double[] weights) {
    double root = Math.sqrt(meanSquare(values, from, weights.length));
    for (int i = 0; i < weights.length; i++) {
      weights[i] = root + Math.abs(values[from + i]);
    }
  }

  /// The square.
  static void squares(float[] values, int from, double[] weights) {
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (double) values[from + i] * values[from + i];
    }
  }

  /// The importance, times the root of `spread` and the square.
  static void important(
      float[] values, int from, float[] importance, double spread, double[] weights) {
    for (int i = 0; i < weights.length; i++) {
      double value = values[from + i];
      weights[i] = importance[from + i] * Math.sqrt(spread + value * value);
    }
    requireSome(weights);
  }

  /// The importance alone.
  static void importance(float[] importance, int from, double[] weights) {
    for (int i = 0; i < weights.length; i++) {
      weights[i] = importance[from + i];
    }
    requireSome(weights);
  }

  /// Inputs that were never seen count alike.
  private static void requireSome(double[] weights) {
    for (double weight : weights) {
      if (weight > 0) {
        return;
      }
    }
    java.util.Arrays.fill(weights, 1);
  }
}
