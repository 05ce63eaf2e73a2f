package moxin.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What one optimizer step left: a line of `metrics.jsonl`.
///
/// @param step of the run, from 1
/// @param phase the phase's name
/// @param loss mean over the step's targets in nats; null if not finite
/// @param lr the learning rate
/// @param gradNorm before clipping; null if not finite
/// @param tokens positions since the run began
/// @param tokensPerSecond of this step
/// @param mfu the share of the machine's peak that the model's arithmetic used, where known
/// @param seconds of training since the run began
/// @param time seconds since 1970
/// @param skipped true if the step's update was discarded: not finite, or a spike
/// @param residentBytes of the process in physical memory, where the system tells
@JsonInclude(JsonInclude.Include.NON_NULL)
public record StepMetrics(
    long step,
    String phase,
    @Nullable Double loss,
    double lr,
    @Nullable Double gradNorm,
    long tokens,
    double tokensPerSecond,
    @Nullable Double mfu,
    double seconds,
    double time,
    @Nullable Boolean skipped,
    @Nullable Long residentBytes) {

  /// The values that TensorBoard shows, by tag; those that are not finite are absent.
  public Map<String, Double> scalars() {
    Map<String, Double> scalars = new LinkedHashMap<>();
    if (loss != null) {
      scalars.put("train/loss", loss);
    }
    scalars.put("train/lr", lr);
    if (gradNorm != null) {
      scalars.put("train/gradNorm", gradNorm);
    }
    scalars.put("train/tokensPerSecond", tokensPerSecond);
    if (mfu != null) {
      scalars.put("train/mfu", mfu);
    }
    if (residentBytes != null) {
      scalars.put("train/residentGigabytes", residentBytes / 1e9);
    }
    return scalars;
  }
}
