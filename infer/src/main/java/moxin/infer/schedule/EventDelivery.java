package moxin.infer.schedule;

import java.util.ArrayDeque;
import java.util.Deque;
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
  private final Deque<GenerationEvent> waiting = new ArrayDeque<>();
  private final StringBuilder text = new StringBuilder();
  private @Nullable Consumer<@Nullable Throwable> end;
  private @Nullable Throwable failure;
  private boolean running;

  /// @param failed is run once when the consumer throws; it is told nothing more
  EventDelivery(Consumer<GenerationEvent> consumer, Executor executor, Runnable failed) {
    this.consumer = consumer;
    this.executor = executor;
    this.failed = failed;
  }

  /// Delivers `event` after those before it.
  void add(GenerationEvent event) {
    lock.lock();
    try {
      if (event instanceof GenerationEvent.TextDelta delta) {
        text.append(delta.text());
      } else {
        flushText();
        waiting.add(event);
      }
      run();
    } finally {
      lock.unlock();
    }
  }

  /// Runs `then` after the last event, with what the consumer threw, if it did.
  void end(Consumer<@Nullable Throwable> then) {
    lock.lock();
    try {
      end = then;
      run();
    } finally {
      lock.unlock();
    }
  }

  private void flushText() {
    if (!text.isEmpty()) {
      waiting.add(new GenerationEvent.TextDelta(text.toString()));
      text.setLength(0);
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
      GenerationEvent event;
      Consumer<@Nullable Throwable> last = null;
      lock.lock();
      try {
        flushText();
        event = waiting.poll();
        if (event == null) {
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
      if (event != null) {
        deliver(event);
      } else if (last != null) {
        last.accept(failure);
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
