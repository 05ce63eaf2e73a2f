package moxin.eval;

import java.util.OptionalInt;

/// How much of a task is asked, and how.
///
/// @param shots solved examples before each question, where a task has such
/// @param limit the most questions of each task
public record EvaluationOptions(int shots, OptionalInt limit) {

  public EvaluationOptions {
    if (shots < 0 || (limit.isPresent() && limit.getAsInt() <= 0)) {
      throw new IllegalArgumentException(
          "expected shots >= 0 and a positive limit, found " + shots + " and " + limit);
    }
  }

  /// Zero shots, every question.
  public static EvaluationOptions whole() {
    return new EvaluationOptions(0, OptionalInt.empty());
  }
}
