package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The common part of writing Q4_K and Q5_K: fits the eight sub-blocks of a block, rounds their
/// scales and minima to six bits, and rounds the elements to what these then are.
final class SubBlockScales {
  private static final int SUB = 32;
  private static final int SUBS = 8;
  private static final double PLAIN_STEP = 0.1;
  private static final double FINE_STEP = 0.05;

  private SubBlockScales() {}

  /// Writes d, dmin and the scales of the block that begins with `values[from]` to byte `offset` of
  /// `target` and returns its elements as whole numbers from 0 to `top`.
  ///
  /// @param importance of the elements, or null if all are alike
  static int[] write(
      float[] values,
      int from,
      float @Nullable [] importance,
      int top,
      MemorySegment target,
      long offset) {
    float[] scales = new float[SUBS];
    float[] mins = new float[SUBS];
    double[] costs = new double[SUBS];
    double[] weights = new double[SUB];
    AffineFit fit = new AffineFit(SUB, top, importance == null ? PLAIN_STEP : FINE_STEP);
    double spread = Weights.meanSquare(values, from, SUBS * SUB);
    for (int sub = 0; sub < SUBS; sub++) {
      int at = from + sub * SUB;
      if (importance == null) {
        Weights.plain(values, at, weights);
      } else {
        Weights.important(values, at, importance, 2 * spread, weights);
      }
      fit.fit(values, at, weights);
      scales[sub] = fit.scale();
      mins[sub] = fit.min();
      for (double weight : weights) {
        costs[sub] += weight;
      }
    }
    int[] scaleNumbers = new int[SUBS];
    int[] minNumbers = new int[SUBS];
    short d = ScaleFit.fit(scales, costs, scaleNumbers);
    short dmin = ScaleFit.fit(mins, costs, minNumbers);
    target.set(BlockFormat.F16, offset, d);
    target.set(BlockFormat.F16, offset + 2, dmin);
    SixBitPairs.write(scaleNumbers, minNumbers, target, offset + 4);
    int[] levels = new int[SUBS * SUB];
    for (int i = 0; i < levels.length; i++) {
      float scale = Float.float16ToFloat(d) * scaleNumbers[i / SUB];
      float min = Float.float16ToFloat(dmin) * minNumbers[i / SUB];
      levels[i] =
          scale == 0 ? 0 : (int) Math.clamp(Math.rint((values[from + i] + min) / scale), 0, top);
    }
    return levels;
  }
}
