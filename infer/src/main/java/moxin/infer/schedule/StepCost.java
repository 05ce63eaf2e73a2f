package moxin.infer.schedule;

/// How long a step over some number of tokens takes, learnt from the steps that were made.
///
/// A step costs a pass over the weights, whatever the number of tokens, and something for each
/// token; which of the two counts depends on model and machine. Steps of about the same number of
/// tokens share a running mean; between the means lies a straight line, and a larger step never
/// costs less than a smaller one.
final class StepCost {
  private static final int EXACT = 16;
  private static final int CLASSES = 64;
  private static final double WEIGHT = 0.1;

  /// What a token is taken to add to a step, in steps of one token, before any larger step is made.
  private static final double UNKNOWN_SLOPE = 0.25;

  private final double[] tokens = new double[CLASSES];
  private final double[] nanos = new double[CLASSES];
  private final int[] samples = new int[CLASSES];

  /// Counts a step. One far off the mean counts as at most twice or at least half of it, so that a
  /// pause of the machine does not pass for the cost of a step.
  void record(int count, long stepNanos) {
    int at = classOf(count);
    int n = samples[at];
    double time = Math.max(1, stepNanos);
    if (n == 0) {
      tokens[at] = count;
      nanos[at] = time;
    } else {
      double weight = Math.max(WEIGHT, 1.0 / (n + 1));
      double bounded = n < 3 ? time : Math.clamp(time, nanos[at] / 2, nanos[at] * 2);
      tokens[at] += weight * (count - tokens[at]);
      nanos[at] += weight * (bounded - nanos[at]);
    }
    samples[at] = Math.min(n + 1, 1000);
  }

  /// Whether any step has been counted.
  boolean known() {
    for (int n : samples) {
      if (n > 0) {
        return true;
      }
    }
    return false;
  }

  /// The expected time of a step over `count` tokens, in nanoseconds; 0 before the first step.
  double nanos(int count) {
    double belowTokens = 0;
    double below = 0;
    int known = 0;
    for (int at = 0; at < CLASSES; at++) {
      if (samples[at] == 0) {
        continue;
      }
      double time = Math.max(below, nanos[at]);
      if (tokens[at] >= count) {
        return known == 0 ? time : line(belowTokens, below, tokens[at], time, count);
      }
      known++;
      belowTokens = tokens[at];
      below = time;
    }
    if (known == 0) {
      return 0;
    }
    double perToken =
        known == 1 ? UNKNOWN_SLOPE * below / belowTokens : lastSlope(belowTokens, below);
    return below + perToken * (count - belowTokens);
  }

  private double lastSlope(double largest, double time) {
    int first = 0;
    while (samples[first] == 0) {
      first++;
    }
    return Math.max(0, time - nanos[first]) / Math.max(1, largest - tokens[first]);
  }

  private static double line(double x0, double y0, double x1, double y1, double x) {
    return x1 - x0 < 1e-9 ? y1 : y0 + (y1 - y0) * (x - x0) / (x1 - x0);
  }

  private static int classOf(int count) {
    if (count <= EXACT) {
      return count - 1;
    }
    int log = 31 - Integer.numberOfLeadingZeros(count);
    int quarter = (count >> (log - 2)) & 3;
    return Math.min(CLASSES - 1, EXACT + (log - 4) * 4 + quarter);
  }
}
