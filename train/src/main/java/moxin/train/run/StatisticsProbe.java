package moxin.train.run;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.train.Learner;

/// Measures what an update does to every parameter: looks at a learner before and after it. Keeps a
/// copy of the weights in host memory.
final class StatisticsProbe implements AutoCloseable {
  private static final int PIECE = 1 << 16;

  private final TensorCopy copy = new TensorCopy();
  private List<TensorView> before = List.of();
  private Map<String, Double> gradientNorms = Map.of();

  /// Looks at gradients and weights before the update.
  void lookBefore(Learner learner) {
    gradientNorms =
        learner.gradients().parallelStream()
            .collect(Collectors.toConcurrentMap(TensorView::name, StatisticsProbe::norm));
    before = copy.of(learner.weights());
  }

  /// Looks at the weights after the update.
  StepStatistics lookAfter(Learner learner, long step) {
    List<TensorView> after = learner.weights();
    List<ParameterStatistics> found =
        IntStream.range(0, after.size())
            .parallel()
            .mapToObj(i -> statistics(before.get(i), after.get(i)))
            .toList();
    Map<String, ParameterStatistics> byName = new LinkedHashMap<>();
    for (int i = 0; i < found.size(); i++) {
      byName.put(after.get(i).name(), found.get(i));
    }
    return new StepStatistics(step, byName, Instant.now().toEpochMilli() / 1e3);
  }

  private ParameterStatistics statistics(TensorView old, TensorView now) {
    if (!old.name().equals(now.name())) {
      throw new IllegalStateException("a learner gives its weights in one order");
    }
    double norm = norm(old);
    double update = distance(old, now);
    return new ParameterStatistics(
        gradientNorms.getOrDefault(old.name(), Double.NaN), norm, norm == 0 ? 0 : update / norm);
  }

  private static double norm(TensorView tensor) {
    double sum = 0;
    for (long from = 0; from < tensor.elements(); from += PIECE) {
      for (float value : piece(tensor, from)) {
        sum += (double) value * value;
      }
    }
    return Math.sqrt(sum);
  }

  private static double distance(TensorView a, TensorView b) {
    double sum = 0;
    for (long from = 0; from < a.elements(); from += PIECE) {
      float[] first = piece(a, from);
      float[] second = piece(b, from);
      for (int i = 0; i < first.length; i++) {
        double value = (double) second[i] - first[i];
        sum += value * value;
      }
    }
    return Math.sqrt(sum);
  }

  private static float[] piece(TensorView tensor, long from) {
    float[] values = new float[(int) Math.min(PIECE, tensor.elements() - from)];
    Precision.widen(tensor, from, values, 0, values.length);
    return values;
  }

  @Override
  public void close() {
    copy.close();
  }
}
