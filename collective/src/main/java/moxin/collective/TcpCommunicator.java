package moxin.collective;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import moxin.job.Join;
import org.jspecify.annotations.Nullable;

/// A [Communicator] on plain TCP connections between all processes, which needs nothing but the
/// variables that say where process 0 listens.
///
/// Connections are made with proof of the job's token, see [Handshake]; what is sent on them is
/// neither encrypted nor signed, as with MPI: they are for networks of one's own. A process that
/// ends is noticed at once, one whose machine is lost within [Heartbeat#LIMIT].
public final class TcpCommunicator implements Communicator {
  private static final int PIECE_BYTES = 4 << 20;
  private static final long HANG_UP_MILLIS = 5_000;
  private static final long DRAIN_MILLIS = 200;
  private static final int MOST_PATIENT = 10;
  private static final long PATIENCE_MILLIS = 1_000;

  private final int rank;
  private final int size;
  private final IntConsumer halt;
  private final Map<Integer, TcpPeer> peers = new TreeMap<>();
  private final AtomicLong exchangedBytes = new AtomicLong();
  private final AtomicLong messages = new AtomicLong();
  private final AtomicLong broadcastBytes = new AtomicLong();
  private final Object lock = new Object();
  private @Nullable String failure;

  private TcpCommunicator(int rank, int size, IntConsumer halt) {
    this.rank = rank;
    this.size = size;
    this.halt = halt;
  }

  /// Meets the other processes.
  ///
  /// @throws LaunchException if they do not come together
  static TcpCommunicator join(LaunchEnvironment launch, Rendezvous place) {
    String host = System.getenv().getOrDefault("HOSTNAME", "");
    String name =
        "process "
            + launch.rank()
            + " (pid "
            + ProcessHandle.current().pid()
            + (host.isEmpty() ? "" : " on " + host)
            + ")";
    return join(launch.rank(), launch.size(), place, name, Runtime.getRuntime()::halt);
  }

  /// As above.
  ///
  /// @param halt ends this process with an exit code
  static TcpCommunicator join(int rank, int size, Rendezvous place, String name, IntConsumer halt) {
    TcpCommunicator communicator = new TcpCommunicator(rank, size, halt);
    TcpPeer.Job job =
        new TcpPeer.Job() {
          @Override
          public void fail(String message) {
            communicator.fail(message);
          }

          @Override
          public void abort(int exitCode) {
            halt.accept(exitCode);
          }
        };
    for (TcpMesh.Neighbour neighbour : TcpMesh.join(place, rank, size, name)) {
      communicator.peers.put(neighbour.rank(), new TcpPeer(neighbour, job));
    }
    communicator.peers.values().forEach(TcpPeer::start);
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

  /// In as many rounds as `size` has binary digits, each process tells one and hears another.
  @Override
  public void barrier() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(1);
      MemorySegment in = arena.allocate(1);
      for (int distance = 1; distance < size; distance *= 2) {
        TcpPeer.Receipts receipts = new TcpPeer.Receipts();
        expect((rank + size - distance) % size, in, receipts);
        send((rank + distance) % size, out);
        await(receipts);
      }
    }
  }

  /// Along a binary tree that grows from `root`, piece by piece.
  @Override
  public void broadcast(MemorySegment data, int root) {
    Arguments.requireRank(root, size);
    Arguments.requireNative(data);
    int place = (rank + size - root) % size;
    int span = place == 0 ? Integer.highestOneBit(size) << 1 : Integer.lowestOneBit(place);
    for (long from = 0; from < data.byteSize(); from += PIECE_BYTES) {
      MemorySegment piece = data.asSlice(from, Math.min(PIECE_BYTES, data.byteSize() - from));
      if (place != 0) {
        TcpPeer.Receipts receipts = new TcpPeer.Receipts();
        expect((place - span + root) % size, piece, receipts);
        await(receipts);
      }
      for (int distance = span / 2; distance > 0; distance /= 2) {
        if (place + distance < size) {
          send((place + distance + root) % size, piece);
        }
      }
    }
    if (place == 0) {
      broadcastBytes.addAndGet(data.byteSize());
    }
  }

  @Override
  public void exchange(List<MemorySegment> send, List<MemorySegment> receive) {
    Arguments.requirePairs(this, send, receive);
    TcpPeer.Receipts receipts = new TcpPeer.Receipts();
    // Each begins with the process after itself, so that not all send to the same one first.
    for (int i = 1; i < size; i++) {
      int from = (rank + size - i) % size;
      if (receive.get(from).byteSize() > 0) {
        expect(from, receive.get(from), receipts);
      }
    }
    for (int i = 1; i < size; i++) {
      MemorySegment data = send.get((rank + i) % size);
      if (data.byteSize() > 0) {
        send((rank + i) % size, data);
        exchangedBytes.addAndGet(data.byteSize());
        messages.incrementAndGet();
      }
    }
    receive.get(rank).copyFrom(send.get(rank));
    await(receipts);
  }

  @Override
  public Traffic traffic() {
    return new Traffic(exchangedBytes.get(), messages.get(), broadcastBytes.get());
  }

  @Override
  public void abort(int exitCode) {
    fail("this process ends the job");
    List<Thread> telling = new ArrayList<>();
    for (TcpPeer peer : peers.values()) {
      telling.add(Thread.ofVirtual().start(() -> peer.sendAbort(exitCode)));
    }
    telling.forEach(Join::uninterruptibly);
    // Who ends with unread data resets its connections, and what was just sent is lost.
    sleep(DRAIN_MILLIS);
    halt.accept(exitCode);
  }

  @Override
  public void close() {
    if (failed() == null) {
      barrier();
      peers.values().forEach(TcpPeer::sayBye);
      peers.values().forEach(peer -> peer.hangUp(HANG_UP_MILLIS));
    } else {
      disconnect();
    }
  }

  /// Ends the connections as the end of the process would.
  void disconnect() {
    peers.values().forEach(TcpPeer::close);
  }

  private TcpPeer peer(int other) {
    return Objects.requireNonNull(peers.get(other));
  }

  private void expect(int from, MemorySegment target, TcpPeer.Receipts receipts) {
    peer(from).expect(target, receipts, this::wake);
  }

  private void send(int to, MemorySegment data) {
    if (failed() != null) {
      throw lost();
    }
    try {
      peer(to).send(data);
    } catch (CollectiveException e) {
      throw lost();
    }
  }

  private void wake() {
    synchronized (lock) {
      lock.notifyAll();
    }
  }

  private void fail(String message) {
    synchronized (lock) {
      if (failure == null) {
        failure = message;
      }
      lock.notifyAll();
    }
    peers.values().forEach(TcpPeer::discard);
  }

  private @Nullable String failed() {
    synchronized (lock) {
      return failure;
    }
  }

  private void await(TcpPeer.Receipts receipts) {
    boolean interrupted = false;
    synchronized (lock) {
      while (!receipts.areAll() && failure == null) {
        try {
          lock.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (!receipts.areAll()) {
      throw lost();
    }
  }

  /// The failure, once processes with lower ranks have had time to tell the user of it and to end
  /// this one: one of them should speak.
  private CollectiveException lost() {
    peers.values().forEach(TcpPeer::discard);
    sleep(Math.min(rank, MOST_PATIENT) * PATIENCE_MILLIS);
    return new CollectiveException(String.valueOf(failed()));
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
