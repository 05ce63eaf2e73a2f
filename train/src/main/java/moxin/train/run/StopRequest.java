package moxin.train.run;

/// Asks a run to stop after the step it is at: it saves a checkpoint and ends with
/// [TrainingStoppedException]. Thread-safe; a signal handler may use it.
public final class StopRequest {
  private volatile boolean requested;

  /// Asks; asking again changes nothing.
  public void request() {
    requested = true;
  }

  /// Whether someone has asked.
  public boolean isRequested() {
    return requested;
  }
}
