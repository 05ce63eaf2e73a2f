package moxin.collective;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import moxin.job.Join;
import org.jspecify.annotations.Nullable;

/// Tells when a process of the job is gone: each sends a byte to the next every second, in a ring,
/// on a thread of its own, and listens to the one before. A process that computes, writes or waits
/// goes on beating; one that was killed or whose machine is lost does not.
final class Heartbeat implements AutoCloseable {
  /// How long a process may be silent.
  static final Duration LIMIT = Duration.ofSeconds(15);

  private static final long PERIOD_MILLIS = 1000;

  private final MpiLibrary mpi;
  private final Object lock;
  private final int previous;
  private final int next;
  private final List<String> names;
  private final Duration limit;
  private final MemorySegment communicator;

  /// Open until the process ends: MPI may look at a last send until then.
  private final Arena arena = Arena.ofShared();

  private final MemorySegment flag = arena.allocate(JAVA_INT);
  private final MemorySegment sent = arena.allocate(1);
  private final MemorySegment received = arena.allocate(1);
  private final MemorySegment sending = arena.allocate(ADDRESS);
  private final MemorySegment receiving = arena.allocate(ADDRESS);
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;
  private volatile @Nullable String failure;

  /// @param lock held during every call of MPI
  Heartbeat(MpiLibrary mpi, Object lock, int rank, List<String> names, Duration limit) {
    this.mpi = mpi;
    this.lock = lock;
    this.names = List.copyOf(names);
    this.limit = limit;
    this.next = (rank + 1) % names.size();
    this.previous = (rank + names.size() - 1) % names.size();
    synchronized (lock) {
      this.communicator = mpi.duplicate();
      mpi.receive(received, previous, communicator, receiving);
      mpi.send(sent, next, communicator, sending);
    }
    this.thread = Thread.ofPlatform().daemon().name("moxin-heartbeat").start(this::beat);
  }

  /// Why the job cannot go on; null while it can.
  @Nullable String failure() {
    return failure;
  }

  private void beat() {
    long heard = System.nanoTime();
    try {
      while (!closing.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS) && failure == null) {
        if (exchanged()) {
          heard = System.nanoTime();
        } else if (System.nanoTime() - heard > limit.toNanos()) {
          failure =
              names.get(previous)
                  + " has been silent for "
                  + limit.toSeconds()
                  + " s and counts as lost; the run goes on from its newest checkpoint with --resume";
        }
      }
    } catch (CollectiveException e) {
      failure = names.get(previous) + " or " + names.get(next) + " is lost: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Sends what is due; whether something was heard.
  private boolean exchanged() {
    synchronized (lock) {
      if (mpi.done(1, sending, flag)) {
        mpi.send(sent, next, communicator, sending);
      }
      boolean heard = mpi.done(1, receiving, flag);
      if (heard) {
        mpi.receive(received, previous, communicator, receiving);
      }
      return heard;
    }
  }

  /// Ends the beating; every process is about to call this.
  @Override
  public void close() {
    closing.countDown();
    Join.uninterruptibly(thread);
    synchronized (lock) {
      mpi.forget(receiving);
    }
  }
}
