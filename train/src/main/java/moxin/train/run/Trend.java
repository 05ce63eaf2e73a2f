package moxin.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// How a curve goes: what [DivergenceWatch] remembers of it.
///
/// @param best the lowest mean, or measurement, of the phase
/// @param above how many in a row are above it by the margin
/// @param count values in the window that is not full yet
/// @param sum of these
@JsonInclude(JsonInclude.Include.NON_NULL)
record Trend(@Nullable Double best, int above, int count, double sum) {
  static final Trend NONE = new Trend(null, 0, 0, 0);

  /// The trend after one more mean.
  Trend after(double mean, double margin) {
    Double lowest = best;
    if (lowest == null || mean < lowest) {
      return new Trend(mean, 0, 0, 0);
    }
    boolean higher = mean > lowest + margin * Math.abs(lowest);
    return new Trend(lowest, higher ? above + 1 : 0, 0, 0);
  }

  /// The trend with one more value in the window.
  Trend with(double value) {
    return new Trend(best, above, count + 1, sum + value);
  }
}
