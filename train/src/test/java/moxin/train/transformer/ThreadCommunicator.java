package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicLong;
import moxin.collective.Communicator;
import moxin.collective.Traffic;

/// Threads of one process as the processes of a job.
final class ThreadCommunicator implements Communicator {
  private final int rank;
  private final Shared shared;
  private final AtomicLong exchanged = new AtomicLong();
  private final AtomicLong messages = new AtomicLong();

  private ThreadCommunicator(int rank, Shared shared) {
    this.rank = rank;
    this.shared = shared;
  }

  private static final class Shared {
    final List<List<MemorySegment>> sent = new ArrayList<>();
    final CyclicBarrier barrier;

    Shared(int size) {
      barrier = new CyclicBarrier(size);
      for (int i = 0; i < size; i++) {
        sent.add(List.of());
      }
    }
  }

  /// A job of `size`.
  static List<ThreadCommunicator> job(int size) {
    Shared shared = new Shared(size);
    List<ThreadCommunicator> all = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      all.add(new ThreadCommunicator(i, shared));
    }
    return all;
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return shared.sent.size();
  }

  @Override
  public void barrier() {
    try {
      shared.barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException("another has failed", e);
    }
  }

  @Override
  public void broadcast(MemorySegment data, int root) {
    offer(List.of(data));
    if (rank != root) {
      data.copyFrom(shared.sent.get(root).getFirst());
    }
    barrier();
  }

  @Override
  public void exchange(List<MemorySegment> send, List<MemorySegment> receive) {
    offer(send);
    for (int other = 0; other < size(); other++) {
      MemorySegment from = shared.sent.get(other).get(rank);
      if (from.byteSize() != receive.get(other).byteSize()) {
        throw new IllegalStateException(
            other + " sends " + from.byteSize() + " to " + rank + ", " + receive.get(other));
      }
      receive.get(other).copyFrom(from);
      if (other != rank && send.get(other).byteSize() > 0) {
        exchanged.addAndGet(send.get(other).byteSize());
        messages.incrementAndGet();
      }
    }
    barrier();
  }

  private void offer(List<MemorySegment> segments) {
    synchronized (shared) {
      shared.sent.set(rank, segments);
    }
    barrier();
  }

  @Override
  public Traffic traffic() {
    return new Traffic(exchanged.get(), messages.get(), 0);
  }

  @Override
  public void abort(int exitCode) {
    shared.barrier.reset();
  }

  @Override
  public void close() {}
}
