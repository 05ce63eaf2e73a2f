package moxin.train.run;

import java.util.LinkedHashMap;
import java.util.Map;

/// The numbers of every parameter in one step: a line of `statistics.jsonl`.
///
/// @param step of the run, from 1
/// @param parameters by weight name
/// @param time seconds since 1970
record StepStatistics(long step, Map<String, ParameterStatistics> parameters, double time) {

  /// The values that TensorBoard shows, by tag.
  Map<String, Double> scalars() {
    Map<String, Double> scalars = new LinkedHashMap<>();
    parameters.forEach(
        (name, found) -> {
          put(scalars, "gradNorm/" + name, found.gradNorm());
          put(scalars, "weightNorm/" + name, found.weightNorm());
          put(scalars, "updateRatio/" + name, found.updateRatio());
        });
    return scalars;
  }

  private static void put(Map<String, Double> scalars, String tag, double value) {
    if (Double.isFinite(value)) {
      scalars.put(tag, value);
    }
  }
}
