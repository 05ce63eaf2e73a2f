package moxin.collective;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A [Communicator] on Open MPI, for processes that `mpirun` or `srun` started.
///
/// Messages are posted at once and then watched, so that a process that waits sleeps, and notices
/// within [Heartbeat#LIMIT] if another is gone, also where its launcher does not end the job.
/// Segments of any size are moved in pieces of at most 1 GiB.
public final class MpiCommunicator implements Communicator {
  private static final long PIECE_BYTES = 1L << 30;
  private static final int NAME_BYTES = 128;
  private static final int SPINS = 20;
  private static final long SLEEP_NANOS = 50_000;

  private final MpiLibrary mpi;
  private final Object lock = new Object();
  private final int rank;
  private final int size;
  private final List<String> names = new ArrayList<>();
  private final AtomicLong exchangedBytes = new AtomicLong();
  private final AtomicLong messages = new AtomicLong();
  private final AtomicLong broadcastBytes = new AtomicLong();
  private @Nullable Heartbeat heartbeat;

  private MpiCommunicator(MpiLibrary mpi) {
    this.mpi = mpi;
    this.rank = mpi.rank();
    this.size = mpi.size();
  }

  /// Starts MPI and waits for the others.
  ///
  /// @throws LaunchException if there is no Open MPI, or it does not see the processes that the
  ///   launcher started
  static MpiCommunicator join(LaunchEnvironment launch) {
    MpiLibrary mpi = MpiLibrary.open(System.getenv(MpiLibrary.VARIABLE));
    mpi.init();
    MpiCommunicator communicator = new MpiCommunicator(mpi);
    if (communicator.size != launch.size() || communicator.rank != launch.rank()) {
      throw new LaunchException(
          launch.launcher()
              + " started "
              + launch.size()
              + " processes and MPI sees "
              + communicator.size
              + "; use the mpirun that belongs to the libmpi found (or name it with "
              + MpiLibrary.VARIABLE
              + "), or on Slurm srun --mpi=pmix");
    }
    communicator.learnNames();
    communicator.heartbeat =
        new Heartbeat(
            mpi, communicator.lock, communicator.rank, communicator.names, Heartbeat.LIMIT);
    return communicator;
  }

  @Override
  public int rank() {
    return rank;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public void barrier() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(ADDRESS);
      synchronized (lock) {
        mpi.barrier(request);
      }
      await(arena, request, 1);
    }
  }

  @Override
  public void broadcast(MemorySegment data, int root) {
    Arguments.requireRank(root, size);
    Arguments.requireNative(data);
    try (Arena arena = Arena.ofConfined()) {
      List<MemorySegment> pieces = pieces(data);
      MemorySegment requests = arena.allocate(ADDRESS, Math.max(1, pieces.size()));
      for (int i = 0; i < pieces.size(); i++) {
        synchronized (lock) {
          mpi.broadcast(pieces.get(i), root, requests.asSlice(ADDRESS.byteSize() * i));
        }
      }
      await(arena, requests, pieces.size());
    }
    if (rank == root) {
      broadcastBytes.addAndGet(data.byteSize());
    }
  }

  @Override
  public void exchange(List<MemorySegment> send, List<MemorySegment> receive) {
    Arguments.requirePairs(this, send, receive);
    List<Message> posted = new ArrayList<>();
    // Each begins with the process after itself, so that not all send to the same one first.
    for (int i = 1; i < size; i++) {
      int from = (rank + size - i) % size;
      pieces(receive.get(from)).forEach(piece -> posted.add(new Message(piece, from, false)));
    }
    for (int i = 1; i < size; i++) {
      int to = (rank + i) % size;
      pieces(send.get(to)).forEach(piece -> posted.add(new Message(piece, to, true)));
      exchangedBytes.addAndGet(send.get(to).byteSize());
      messages.addAndGet(send.get(to).byteSize() > 0 ? 1 : 0);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment requests = arena.allocate(ADDRESS, Math.max(1, posted.size()));
      for (int i = 0; i < posted.size(); i++) {
        post(posted.get(i), requests.asSlice(ADDRESS.byteSize() * i));
      }
      receive.get(rank).copyFrom(send.get(rank));
      await(arena, requests, posted.size());
    }
  }

  private record Message(MemorySegment data, int other, boolean sent) {}

  private void post(Message message, MemorySegment request) {
    synchronized (lock) {
      if (message.sent()) {
        mpi.send(message.data(), message.other(), mpi.world(), request);
      } else {
        mpi.receive(message.data(), message.other(), mpi.world(), request);
      }
    }
  }

  @Override
  public Traffic traffic() {
    return new Traffic(exchangedBytes.get(), messages.get(), broadcastBytes.get());
  }

  @Override
  public void abort(int exitCode) {
    synchronized (lock) {
      mpi.abort(exitCode);
    }
  }

  @Override
  public void close() {
    Heartbeat beating = heartbeat;
    if (beating != null && beating.failure() == null) {
      barrier();
      beating.close();
      synchronized (lock) {
        mpi.finish();
      }
      heartbeat = null;
    }
  }

  private void await(Arena arena, MemorySegment requests, int count) {
    MemorySegment flag = arena.allocate(JAVA_INT);
    int spins = 0;
    while (!done(count, requests, flag)) {
      Heartbeat beating = heartbeat;
      String failure = beating == null ? null : beating.failure();
      if (failure != null) {
        throw new CollectiveException(failure);
      }
      if (spins < SPINS) {
        spins++;
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(SLEEP_NANOS);
      }
    }
  }

  private boolean done(int count, MemorySegment requests, MemorySegment flag) {
    synchronized (lock) {
      return mpi.done(count, requests, flag);
    }
  }

  /// Tells the processes from one another in messages.
  private void learnNames() {
    try (Arena arena = Arena.ofShared()) {
      String host = System.getenv().getOrDefault("HOSTNAME", "");
      String name =
          "process "
              + rank
              + " (pid "
              + ProcessHandle.current().pid()
              + (host.isEmpty() ? "" : " on " + host)
              + ")";
      byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
      MemorySegment own = arena.allocate(NAME_BYTES);
      MemorySegment.copy(
          MemorySegment.ofArray(bytes), 0, own, 0, Math.min(bytes.length, NAME_BYTES - 1));
      List<MemorySegment> all = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        all.add(arena.allocate(NAME_BYTES));
      }
      allGather(own, all);
      all.forEach(segment -> names.add(segment.getString(0)));
    }
  }

  private static List<MemorySegment> pieces(MemorySegment data) {
    List<MemorySegment> pieces = new ArrayList<>();
    for (long from = 0; from < data.byteSize(); from += PIECE_BYTES) {
      pieces.add(data.asSlice(from, Math.min(PIECE_BYTES, data.byteSize() - from)));
    }
    return pieces;
  }
}
