package moxin.job;

/// Waits for threads whose work cannot be abandoned half-way.
public final class Join {

  private Join() {}

  /// Returns when `thread` has ended, at once if it was never started. An interruption does not cut
  /// the wait short; the caller finds it afterwards.
  public static void uninterruptibly(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
