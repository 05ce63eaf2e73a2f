package moxin.train.run;

import java.util.LinkedHashMap;
import java.util.Map;

/// What a task came to at a step: a line of `evaluation.jsonl`.
///
/// @param step after which it was asked
/// @param phase the phase's name
/// @param task its name
/// @param questions how many were asked
/// @param metrics by name
/// @param time seconds since 1970
public record TaskPoint(
    long step,
    String phase,
    String task,
    int questions,
    Map<String, TaskScores.Score> metrics,
    double time) {

  /// The values that are finite, by `evaluation/TASK/METRIC`.
  public Map<String, Double> scalars() {
    Map<String, Double> scalars = new LinkedHashMap<>();
    metrics.forEach(
        (metric, score) -> {
          if (Double.isFinite(score.value())) {
            scalars.put("evaluation/" + task + "/" + metric, score.value());
          }
        });
    return scalars;
  }
}
