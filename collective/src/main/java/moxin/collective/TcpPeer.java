package moxin.collective;

import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The connection to one other process. What is sent are frames of a kind and a length; data
/// follows, and is read only into memory that was set out for exactly as much. A beat is sent every
/// second; who is silent for [Heartbeat#LIMIT] while it is listened to counts as lost.
final class TcpPeer {
  private static final System.Logger LOG = System.getLogger("moxin.collective");
  private static final int HEADER_BYTES = 12;
  private static final int BUFFER_BYTES = 1 << 18;
  private static final int PIECE_BYTES = 1 << 26;
  private static final long BEAT_MILLIS = 1000;
  private static final long ABORT_MILLIS = 500;

  private static final int DATA = 0x4D58_0001;
  private static final int BEAT = 0x4D58_0002;
  private static final int BYE = 0x4D58_0003;
  private static final int ABORT = 0x4D58_0004;

  private final TcpMesh.Neighbour neighbour;
  private final SocketChannel channel;
  private final Job job;
  private final ReentrantLock writing = new ReentrantLock();
  private final ByteBuffer header = ByteBuffer.allocateDirect(HEADER_BYTES);
  private final Thread reader;
  private final Thread beating;

  // Guarded by this:
  private final Deque<Receipt> expected = new ArrayDeque<>();
  private boolean discarding;
  private boolean left;

  private volatile boolean ending;
  private volatile boolean listening;
  private volatile boolean heard;

  /// What becomes of a job by what its connections bring. Called on threads of theirs.
  interface Job {
    /// The job cannot go on.
    void fail(String message);

    /// Another process ends the job.
    void abort(int exitCode);
  }

  /// What one operation waits for.
  static final class Receipts {
    private int open;

    synchronized void add() {
      open++;
    }

    synchronized boolean areAll() {
      return open == 0;
    }

    private synchronized void arrived() {
      open--;
    }
  }

  private record Receipt(MemorySegment target, Receipts operation, Runnable done) {}

  TcpPeer(TcpMesh.Neighbour neighbour, Job job) {
    this.neighbour = neighbour;
    this.channel = neighbour.channel();
    this.job = job;
    this.reader = Thread.ofVirtual().name("moxin-tcp-" + neighbour.rank()).unstarted(this::read);
    this.beating = Thread.ofVirtual().name("moxin-beat-" + neighbour.rank()).unstarted(this::beat);
  }

  void start() {
    reader.start();
    beating.start();
  }

  /// Sets `target` out for the next data of this process.
  ///
  /// @param done called when they have arrived
  synchronized void expect(MemorySegment target, Receipts operation, Runnable done) {
    if (left) {
      throw new CollectiveException(neighbour.name() + " has left the job");
    }
    operation.add();
    expected.add(new Receipt(Memory.unowned(target), operation, done));
    notifyAll();
  }

  /// Throws away what arrives from now on; no memory that was set out is written any more.
  synchronized void discard() {
    discarding = true;
    expected.clear();
    notifyAll();
  }

  /// Sends data; returns when they have left this process.
  void send(MemorySegment data) {
    writing.lock();
    try {
      MemorySegment all = Memory.unowned(data);
      writeHeader(DATA, data.byteSize());
      for (long from = 0; from < data.byteSize(); from += PIECE_BYTES) {
        long count = Math.min(PIECE_BYTES, data.byteSize() - from);
        writeFully(all.asSlice(from, count).asByteBuffer());
      }
    } catch (IOException e) {
      throw lost(e);
    } finally {
      writing.unlock();
    }
  }

  /// Says that this process has done all it had to do here.
  void sayBye() {
    ending = true;
    writing.lock();
    try {
      writeHeader(BYE, 0);
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "it has gone before", e);
    } finally {
      writing.unlock();
    }
  }

  /// Waits until the other has said so too, and hangs up.
  void hangUp(long millis) {
    try {
      reader.join(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
  }

  /// Hangs up.
  void close() {
    ending = true;
    try {
      channel.close();
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "a connection cannot be closed", e);
    }
  }

  /// Tells the other to end with `exitCode`, if it can be told.
  void sendAbort(int exitCode) {
    try {
      if (writing.tryLock(ABORT_MILLIS, TimeUnit.MILLISECONDS)) {
        ending = true;
        try {
          writeHeader(ABORT, exitCode);
          channel.shutdownOutput();
        } finally {
          writing.unlock();
        }
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "it has gone before", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeHeader(int kind, long length) throws IOException {
    writeFully(header.clear().putInt(kind).putLong(length).flip());
  }

  private void writeFully(ByteBuffer buffer) throws IOException {
    // An interruption closes a channel that is written: the caller finds it afterwards.
    boolean interrupted = Thread.interrupted();
    try {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void beat() {
    long limit = Heartbeat.LIMIT.toMillis() / BEAT_MILLIS;
    long silent = 0;
    try {
      while (silent < limit && !ending) {
        Thread.sleep(BEAT_MILLIS);
        // Beats are counted and not time, which goes on while this process is stopped.
        silent = listening && !heard ? silent + 1 : 0;
        heard = false;
        if (writing.tryLock()) {
          try {
            if (!ending) {
              writeHeader(BEAT, 0);
            }
          } finally {
            writing.unlock();
          }
        }
      }
      if (silent >= limit) {
        job.fail(
            neighbour.name()
                + " has been silent for "
                + Heartbeat.LIMIT.toSeconds()
                + " s and counts as lost; the run goes on from its newest checkpoint with"
                + " --resume");
        close();
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the reader tells of it", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void read() {
    ByteBuffer head = ByteBuffer.allocateDirect(HEADER_BYTES);
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    try {
      while (true) {
        fill(head.clear());
        head.flip();
        int kind = head.getInt();
        long length = head.getLong();
        switch (kind) {
          case DATA -> receive(length, buffer);
          case BEAT -> {}
          case BYE -> {
            if (leave()) {
              job.fail(neighbour.name() + " has left the job");
            }
            return;
          }
          case ABORT -> job.abort((int) length);
          default -> throw new IOException("it sends what is no frame");
        }
      }
    } catch (IOException e) {
      lost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Notes that nothing will come any more; whether something was to come.
  private synchronized boolean leave() {
    left = true;
    return !expected.isEmpty();
  }

  private void receive(long length, ByteBuffer buffer) throws IOException, InterruptedException {
    Receipt receipt = next();
    if (receipt != null && receipt.target().byteSize() != length) {
      throw new IOException(
          "it sends "
              + length
              + " bytes where "
              + receipt.target().byteSize()
              + " are expected; do all processes run the same version with the same recipe?");
    }
    MemorySegment arrived = MemorySegment.ofBuffer(buffer.clear());
    for (long at = 0; at < length; ) {
      int count = (int) Math.min(BUFFER_BYTES, length - at);
      fill(buffer.clear().limit(count));
      if (receipt != null) {
        synchronized (this) {
          if (!discarding) {
            MemorySegment.copy(arrived, 0, receipt.target(), at, count);
          }
        }
      }
      at += count;
    }
    if (receipt != null) {
      receipt.operation().arrived();
      receipt.done().run();
    }
  }

  /// Waits until memory is set out; null when what comes is thrown away.
  private synchronized @Nullable Receipt next() throws InterruptedException {
    while (expected.isEmpty() && !discarding) {
      wait();
    }
    return expected.poll();
  }

  private void fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      listening = true;
      int count = channel.read(buffer);
      listening = false;
      if (count < 0) {
        throw new EOFException("it has ended");
      }
      heard = true;
    }
  }

  /// Says once that the connection has failed.
  private CollectiveException lost(IOException e) {
    boolean gone = e instanceof EOFException || e.getMessage() == null || isReset(e.getMessage());
    String message =
        neighbour.name()
            + (gone
                ? " has ended before the job; the run goes on from its newest checkpoint with"
                    + " --resume"
                : " cannot be worked with: " + e.getMessage());
    job.fail(message);
    return new CollectiveException(message);
  }

  private static boolean isReset(String message) {
    return message.contains("reset") || message.contains("Broken pipe");
  }
}
