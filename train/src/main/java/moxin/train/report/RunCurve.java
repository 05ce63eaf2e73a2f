package moxin.train.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// A curve of one run among others.
///
/// @param run which one, from 0
/// @param xs ascending
/// @param ys as many
record RunCurve(int run, List<Double> xs, List<Double> ys) {

  /// The curve of a value over `x`, thinned to means of about `most` stretches; elements without a
  /// value are gaps.
  static <T> RunCurve of(
      int run, List<T> elements, ToDoubleFunction<T> x, Function<T, @Nullable Double> y, int most) {
    List<Double> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    int width = Math.max(1, Math.ceilDiv(elements.size(), most));
    for (int begin = 0; begin < elements.size(); begin += width) {
      double sumX = 0;
      double sumY = 0;
      int count = 0;
      for (T element : elements.subList(begin, Math.min(elements.size(), begin + width))) {
        Double value = y.apply(element);
        if (value != null && Double.isFinite(value)) {
          sumX += x.applyAsDouble(element);
          sumY += value;
          count++;
        }
      }
      if (count > 0) {
        xs.add(sumX / count);
        ys.add(sumY / count);
      }
    }
    return new RunCurve(run, xs, ys);
  }
}
