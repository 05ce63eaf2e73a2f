package moxin.train;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/// A signal of the operating system that asks a job to stop, such as SIGTERM. Each process raises
/// what it receives itself; a [DistributedLearner] tells all its processes whenever they exchange
/// losses or norms, so that all know after a step, whichever received it. The first one counts.
/// Thread-safe.
public final class JobSignal {
  private final AtomicInteger number = new AtomicInteger();
  private final IntConsumer listener;

  /// A signal that nobody waits for.
  public JobSignal() {
    this(_ -> {});
  }

  /// A signal whose number `listener` gets at most once, on the thread that raises it first.
  public JobSignal(IntConsumer listener) {
    this.listener = listener;
  }

  /// Says that signal `value` was received, here or by another process.
  ///
  /// @param value its number, from 1 to 127
  public void raise(int value) {
    if (value < 1 || value > 127) {
      throw new IllegalArgumentException("no signal has the number " + value);
    }
    if (number.compareAndSet(0, value)) {
      listener.accept(value);
    }
  }

  /// The number of the first signal, 0 while there is none.
  public int number() {
    return number.get();
  }
}
