package moxin.infer;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import moxin.job.Join;
import org.jspecify.annotations.Nullable;

/// Threads that share the indices of a loop. The caller works along; loops of different callers run
/// one after the other.
///
/// Helpers spin for a moment after each loop, since a pass is a long row of short loops, and then
/// park. Indices are taken one by one, so that a thread whose core is taken away holds up nobody
/// for longer than one index.
final class Workers implements AutoCloseable {
  private static final long SPIN_NANOS = 200_000;
  private static final int SPINS_BETWEEN_CLOCKS = 64;
  private static final int SPINS_BEFORE_YIELDING = 20_000;

  private final int threads;
  private final Helper[] helpers;
  private volatile @Nullable Loop current;
  private volatile boolean closed;

  Workers(int threads) {
    this.threads = threads;
    this.helpers = new Helper[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper(i + 1);
      helpers[i].setDaemon(true);
      helpers[i].start();
    }
  }

  /// What a loop does for an index.
  @FunctionalInterface
  interface Body {
    /// Does the work of one index.
    ///
    /// @param thread which of the threads this is, below [Workers#threads]
    void run(int index, int thread);
  }

  int threads() {
    return threads;
  }

  /// Runs `body` for every index below `count`, each once, in any order and on any thread, and
  /// returns when all are done. What the indices write must be disjoint.
  ///
  /// @throws IllegalStateException if the body failed for an index, with the first failure as cause
  @SuppressWarnings("ThreadPriorityCheck") // gives way to a helper whose core was taken
  synchronized void forEach(int count, Body body) {
    if (count <= 1 || threads == 1) {
      for (int i = 0; i < count; i++) {
        body.run(i, 0);
      }
      return;
    }
    Loop loop = new Loop(count, body);
    current = loop;
    for (Helper helper : helpers) {
      helper.wake();
    }
    loop.share(0);
    for (int spins = 0; loop.done.get() < count; spins++) {
      if (spins < SPINS_BEFORE_YIELDING) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    current = null;
    Throwable failure = loop.failure;
    if (failure != null) {
      throw new IllegalStateException("a kernel failed", failure);
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper);
    }
    for (Helper helper : helpers) {
      Join.uninterruptibly(helper);
    }
  }

  /// One loop under way.
  private static final class Loop {
    private final int count;
    private final Body body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile @Nullable Throwable failure;

    Loop(int count, Body body) {
      this.count = count;
      this.body = body;
    }

    /// Takes indices until none is left.
    void share(int thread) {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        try {
          if (failure == null) {
            body.run(i, thread);
          }
        } catch (RuntimeException | Error e) {
          failure = e;
        } finally {
          done.getAndIncrement();
        }
      }
    }
  }

  /// A thread that joins every loop.
  private final class Helper extends Thread {
    private final int number;
    private volatile boolean parked;

    Helper(int number) {
      super("moxin-infer-" + number);
      this.number = number;
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Loop last = null;
      while (!closed) {
        Loop loop = await(last);
        if (loop != null) {
          loop.share(number);
          last = loop;
        }
      }
    }

    /// The next loop after `last`, or null if it was woken for another reason.
    private @Nullable Loop await(@Nullable Loop last) {
      long deadline = System.nanoTime() + SPIN_NANOS;
      do {
        for (int i = 0; i < SPINS_BETWEEN_CLOCKS; i++) {
          Loop loop = current;
          if (loop != null && loop != last) {
            return loop;
          }
          Thread.onSpinWait();
        }
      } while (System.nanoTime() < deadline && !closed);
      parked = true;
      Loop loop = current;
      if ((loop == null || loop == last) && !closed) {
        LockSupport.park(this);
      }
      parked = false;
      return null;
    }
  }
}
