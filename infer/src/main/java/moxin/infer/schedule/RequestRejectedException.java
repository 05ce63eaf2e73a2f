package moxin.infer.schedule;

/// A request was not taken; nothing of it remains. The same request may be taken later by a
/// scheduler that is full, never by one that is closed.
public final class RequestRejectedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// Why.
  public enum Reason {
    /// As many requests wait as may wait.
    FULL,
    /// The scheduler takes no more requests.
    CLOSED
  }

  private final Reason reason;

  RequestRejectedException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
