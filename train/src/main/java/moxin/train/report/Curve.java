package moxin.train.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import moxin.train.run.StepMetrics;
import org.jspecify.annotations.Nullable;

/// A curve over steps, thinned for drawing: each point stands for a stretch of steps with their
/// mean, lowest and highest value. No stretch crosses from one phase into the next.
record Curve(List<Point> points) {

  /// A stretch of steps.
  ///
  /// @param phase its phase, counted from 0
  record Point(int phase, long first, long last, double mean, double low, double high) {
    double step() {
      return (first + last) / 2.0;
    }
  }

  /// The curve of a value of steps; steps whose value is null are gaps.
  ///
  /// @param most about how many points are wanted
  static Curve of(List<PhaseSpan> phases, Function<StepMetrics, @Nullable Double> value, int most) {
    long steps = phases.stream().mapToLong(phase -> phase.steps().size()).sum();
    int stretch = (int) Math.max(1, Math.ceilDiv(steps, most));
    List<Point> points = new ArrayList<>();
    for (int phase = 0; phase < phases.size(); phase++) {
      List<StepMetrics> list = phases.get(phase).steps();
      int width = Math.max(1, Math.min(stretch, Math.ceilDiv(list.size(), 8)));
      for (int begin = 0; begin < list.size(); begin += width) {
        List<StepMetrics> part = list.subList(begin, Math.min(list.size(), begin + width));
        double[] values =
            part.stream()
                .map(value)
                .filter(java.util.Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .toArray();
        if (values.length > 0) {
          points.add(point(phase, part, values));
        }
      }
    }
    return new Curve(points);
  }

  private static Point point(int phase, List<StepMetrics> part, double[] values) {
    double sum = 0;
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      sum += value / values.length;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return new Point(phase, part.getFirst().step(), part.getLast().step(), sum, low, high);
  }

  boolean isEmpty() {
    return points.isEmpty();
  }

  /// The lowest mean.
  double lowest() {
    return points.stream().mapToDouble(Point::mean).min().orElse(0);
  }

  /// The highest mean.
  double highest() {
    return points.stream().mapToDouble(Point::mean).max().orElse(0);
  }

  /// Whether some point stands for several values.
  boolean isThinned() {
    return points.stream().anyMatch(point -> point.high() > point.low());
  }
}
