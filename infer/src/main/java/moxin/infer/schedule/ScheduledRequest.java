package moxin.infer.schedule;

import java.time.Duration;
import java.util.Optional;
import moxin.infer.GenerationOptions;

/// A text to be continued.
///
/// @param promptIds at least one id
/// @param timeout from submission to the end; what has been written by then is the answer
public record ScheduledRequest(
    int[] promptIds, GenerationOptions options, Optional<Duration> timeout) {

  public ScheduledRequest {
    promptIds = promptIds.clone();
    if (timeout.isPresent() && timeout.get().isNegative()) {
      throw new IllegalArgumentException("the timeout is negative: " + timeout.get());
    }
  }

  /// A request without a timeout.
  public static ScheduledRequest of(int[] promptIds, GenerationOptions options) {
    return new ScheduledRequest(promptIds, options, Optional.empty());
  }

  /// This request with a timeout.
  public ScheduledRequest withTimeout(Duration limit) {
    return new ScheduledRequest(promptIds, options, Optional.of(limit));
  }
}
