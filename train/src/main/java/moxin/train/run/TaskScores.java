package moxin.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a task came to.
///
/// @param task its name
/// @param questions how many were asked
/// @param metrics by name, in the order of reports
public record TaskScores(String task, int questions, Map<String, Score> metrics) {

  public TaskScores {
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
  }

  /// A metric over all questions.
  ///
  /// @param standardError where the metric has one
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Score(double value, @Nullable Double standardError, boolean higherIsBetter) {}
}
