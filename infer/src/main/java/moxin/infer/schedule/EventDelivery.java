package moxin.infer.schedule;

import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import moxin.infer.GenerationEvent;
import org.jspecify.annotations.Nullable;

/// Hands the events of one request to its consumer, in order and one at a time, on threads of the
/// executor's. Whoever brings the events never waits: texts that come while the consumer is busy
/// are joined into one.
final class EventDelivery {
  private final Consumer<GenerationEvent> consumer;
  private final Executor executor;
  private final Runnable failed;
  private final ReentrantLock lock = new ReentrantLock();
  private final StringBuilder text = new StringBuilder();
  private @Nullable End end;
  private @Nullable Throwable failure;
  private boolean running;

  /// @param failed is run once when the consumer throws; it is told nothing more
  EventDelivery(Consumer<GenerationEvent> consumer, Executor executor, Runnable failed) {
    this.consumer = consumer;
    this.executor = executor;
    this.failed = failed;
  }

  /// The end of a request.
  ///
  /// @param event the last one, absent where the engine failed
  /// @param then is given what the consumer threw, if it did
  private record End(
      GenerationEvent.@Nullable Finished event, Consumer<@Nullable Throwable> then) {}

  void text(String delta) {
    lock.lock();
    try {
      text.append(delta);
      run();
    } finally {
      lock.unlock();
    }
  }

  /// Delivers the last event, then runs `then`.
  void end(GenerationEvent.@Nullable Finished event, Consumer<@Nullable Throwable> then) {
    lock.lock();
    try {
      end = new End(event, then);
      run();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    if (!running) {
      running = true;
      executor.execute(this::drain);
    }
  }

  private void drain() {
    while (true) {
      String delta;
      End last = null;
      lock.lock();
      try {
        delta = text.toString();
        text.setLength(0);
        if (delta.isEmpty()) {
          last = end;
          end = null;
          if (last == null) {
            running = false;
            return;
          }
        }
      } finally {
        lock.unlock();
      }
      if (!delta.isEmpty()) {
        deliver(new GenerationEvent.TextDelta(delta));
      } else if (last != null) {
        if (last.event() != null) {
          deliver(last.event());
        }
        last.then().accept(failure);
      }
    }
  }

  private void deliver(GenerationEvent event) {
    if (failure != null) {
      return;
    }
    try {
      consumer.accept(event);
    } catch (Throwable thrown) {
      // Whatever a consumer throws ends its own request and is what the request's future throws.
      failure = thrown;
      failed.run();
    }
  }
}
