package moxin.infer.schedule;

/// Why a request ended as cancelled.
public enum CancelCause {
  /// [ScheduledGeneration#cancel] was called.
  CALLER,
  /// Its timeout passed.
  TIMEOUT,
  /// Its consumer of events threw.
  CONSUMER,
  /// The scheduler was closed.
  SHUTDOWN
}
