package moxin.train.transformer;

import java.util.stream.IntStream;

/// Cosines and sines of rotary position embedding (Su et al. 2021), `(positions, D/2)`.
///
/// Element `j` of a head's first half is rotated together with element `j` of its second half by
/// the angle `position · theta^(−2j/D)`, as Hugging Face stores heads.
record RotaryTable(int half, float[] cosines, float[] sines) {

  /// The table of positions `[from, from + count)`.
  static RotaryTable of(int headDim, double theta, int from, int count) {
    return of(headDim, theta, IntStream.range(from, from + count).toArray());
  }

  /// The table of any positions.
  static RotaryTable of(int headDim, double theta, int[] positions) {
    int half = headDim / 2;
    double[] frequencies = new double[half];
    for (int j = 0; j < half; j++) {
      frequencies[j] = Math.pow(theta, -2.0 * j / headDim);
    }
    float[] cosines = new float[positions.length * half];
    float[] sines = new float[positions.length * half];
    for (int t = 0; t < positions.length; t++) {
      for (int j = 0; j < half; j++) {
        double angle = positions[t] * frequencies[j];
        cosines[t * half + j] = (float) Math.cos(angle);
        sines[t * half + j] = (float) Math.sin(angle);
      }
    }
    return new RotaryTable(half, cosines, sines);
  }
}
