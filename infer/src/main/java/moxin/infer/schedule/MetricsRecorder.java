package moxin.infer.schedule;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/// Counts for [SchedulerMetrics]. Thread-safe.
final class MetricsRecorder {
  /// After so many seconds, a rate has forgotten two thirds.
  private static final double RATE_SECONDS = 5;

  private final ReentrantLock lock = new ReentrantLock();
  private final long[] batchSizes;
  private final LatencyHistogram firstToken = new LatencyHistogram();
  private final double[] rates = new double[2];
  private State state = new State(0, 0, 0, 0);
  private long finished;
  private long cancelled;
  private long failed;
  private long rejected;
  private long steps;
  private long promptTokens;
  private long reusedTokens;
  private long newTokens;
  private long proposed;
  private long accepted;
  private long modelNanos;
  private long otherNanos;

  MetricsRecorder(int maxSessions) {
    batchSizes = new long[maxSessions + 1];
  }

  /// What is there after a step.
  record State(int prefilling, int decoding, int keptSessions, long keptBytes) {}

  /// A step.
  ///
  /// @param texts how many were being written
  record Step(
      int texts, int promptTokens, int newTokens, long modelNanos, long otherNanos, State after) {}

  /// How a request ended.
  enum End {
    FINISHED,
    CANCELLED,
    FAILED
  }

  void step(Step step) {
    lock.lock();
    try {
      steps++;
      promptTokens += step.promptTokens();
      newTokens += step.newTokens();
      modelNanos += step.modelNanos();
      otherNanos += step.otherNanos();
      if (step.texts() > 0) {
        batchSizes[step.texts()]++;
      }
      double seconds = Math.max(1, step.modelNanos() + step.otherNanos()) * 1e-9;
      double kept = Math.exp(-seconds / RATE_SECONDS);
      rates[0] = kept * rates[0] + (1 - kept) * step.promptTokens() / seconds;
      rates[1] = kept * rates[1] + (1 - kept) * step.newTokens() / seconds;
      state = step.after();
    } finally {
      lock.unlock();
    }
  }

  void state(State now) {
    lock.lock();
    try {
      state = now;
    } finally {
      lock.unlock();
    }
  }

  void reused(int tokens) {
    lock.lock();
    try {
      reusedTokens += tokens;
    } finally {
      lock.unlock();
    }
  }

  void firstToken(long nanos) {
    lock.lock();
    try {
      firstToken.add(nanos);
    } finally {
      lock.unlock();
    }
  }

  void rejected() {
    lock.lock();
    try {
      rejected++;
    } finally {
      lock.unlock();
    }
  }

  /// A request ended after `draftedTokens` were proposed for it.
  void ended(End end, int draftedTokens, int acceptedTokens) {
    lock.lock();
    try {
      switch (end) {
        case FINISHED -> finished++;
        case CANCELLED -> cancelled++;
        case FAILED -> failed++;
      }
      proposed += draftedTokens;
      accepted += acceptedTokens;
    } finally {
      lock.unlock();
    }
  }

  SchedulerMetrics snapshot(int queued) {
    lock.lock();
    try {
      return new SchedulerMetrics(
          queued,
          state.prefilling(),
          state.decoding(),
          finished,
          cancelled,
          failed,
          rejected,
          steps,
          promptTokens,
          reusedTokens,
          newTokens,
          proposed,
          accepted,
          rates[0],
          rates[1],
          batchSizes.clone(),
          firstToken.latency(),
          Duration.ofNanos(modelNanos),
          Duration.ofNanos(otherNanos),
          state.keptSessions(),
          state.keptBytes());
    } finally {
      lock.unlock();
    }
  }
}
