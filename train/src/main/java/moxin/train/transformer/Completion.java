package moxin.train.transformer;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/// Waits for native work that cannot be abandoned half-way: an interruption is kept for the caller.
final class Completion {

  private Completion() {}

  /// Returns when all of `work` is done; throws what the first of it to fail threw.
  static void of(List<? extends Future<?>> work) {
    boolean interrupted = false;
    ExecutionException failure = null;
    for (Future<?> part : work) {
      boolean done = false;
      while (!done) {
        try {
          part.get();
          done = true;
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          done = true;
          failure = failure == null ? e : failure;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw switch (failure.getCause()) {
        case RuntimeException cause -> cause;
        case Error cause -> throw cause;
        case null, default -> new IllegalStateException("work in the background failed", failure);
      };
    }
  }
}
