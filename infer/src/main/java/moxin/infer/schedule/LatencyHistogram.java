package moxin.infer.schedule;

import java.time.Duration;

/// Times in classes of a quarter octave.
final class LatencyHistogram {
  private static final int CLASSES = 64 * 4;

  private final long[] counts = new long[CLASSES];
  private long count;
  private double sum;

  void add(long nanos) {
    double time = Math.max(1.0, (double) nanos);
    int at = (int) (Math.log(time) / Math.log(2) * 4);
    counts[Math.min(CLASSES - 1, at)]++;
    count++;
    sum += time;
  }

  SchedulerMetrics.Latency latency() {
    Duration mean = Duration.ofNanos(count == 0 ? 0 : (long) (sum / count));
    return new SchedulerMetrics.Latency(count, mean, quantile(0.5), quantile(0.9), quantile(0.99));
  }

  /// The middle of the class that holds the quantile.
  private Duration quantile(double share) {
    long wanted = (long) Math.ceil(share * count);
    long seen = 0;
    for (int at = 0; at < CLASSES; at++) {
      seen += counts[at];
      if (count > 0 && seen >= wanted) {
        return Duration.ofNanos((long) Math.pow(2, (at + 0.5) / 4));
      }
    }
    return Duration.ZERO;
  }
}
