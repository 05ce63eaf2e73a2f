package moxin.collective;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Lets the processes with higher ranks in. Who does not know the token is sent away, and costs a
/// thread for a few seconds, of which there are few at a time.
final class Doorway implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("moxin.collective");
  private static final int STRANGERS_AT_ONCE = 64;

  private final ServerSocketChannel server;
  private final String token;
  private final int rank;
  private final int size;
  private final Semaphore room;
  private final Map<Integer, Guest> guests = new TreeMap<>();
  private @Nullable LaunchException failure;
  private int settled;
  private int strangers;

  /// A process that has been let in.
  record Guest(SocketChannel channel, Handshake.Hello hello) {}

  private Doorway(ServerSocketChannel server, String token, int rank, int size) {
    this.server = server;
    this.token = token;
    this.rank = rank;
    this.size = size;
    this.room = new Semaphore(size + STRANGERS_AT_ONCE);
  }

  /// Listens at `address` for the processes after `rank`.
  static Doorway open(InetSocketAddress address, String token, int rank, int size)
      throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open();
    try {
      server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      server.bind(address, size + STRANGERS_AT_ONCE);
    } catch (IOException e) {
      server.close();
      throw e;
    }
    Doorway doorway = new Doorway(server, token, rank, size);
    Thread.ofVirtual().name("moxin-doorway").start(doorway::welcomeAll);
    return doorway;
  }

  /// Where it listens.
  int port() throws IOException {
    return ((InetSocketAddress) server.getLocalAddress()).getPort();
  }

  /// All processes after the own, by rank.
  ///
  /// @throws LaunchException after `patience` if some are missing, or at once if one was started in
  ///   another way than this
  synchronized Map<Integer, Guest> await(Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (failure == null && settled < size - 1 - rank) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        fail(missing(patience));
      } else {
        wait(left);
      }
    }
    LaunchException failed = failure;
    if (failed != null) {
      guests.values().forEach(guest -> close(guest.channel()));
      throw failed;
    }
    return Map.copyOf(guests);
  }

  private String missing(Duration patience) {
    List<Integer> absent =
        IntStream.range(rank + 1, size).filter(i -> !guests.containsKey(i)).boxed().toList();
    String who = absent.stream().limit(8).map(String::valueOf).collect(Collectors.joining(", "));
    return "after "
        + patience.toSeconds()
        + " s "
        + absent.size()
        + " of "
        + size
        + " processes have not joined: "
        + who
        + (absent.size() > 8 ? ", …" : "")
        + (strangers == 0
            ? ""
            : "; "
                + strangers
                + " strangers were sent away, is "
                + Rendezvous.TOKEN
                + " the same for all?");
  }

  private void welcomeAll() {
    while (server.isOpen()) {
      try {
        SocketChannel channel = server.accept();
        if (room.tryAcquire()) {
          Thread.ofVirtual().name("moxin-guest").start(() -> welcome(channel));
        } else {
          channel.close();
        }
      } catch (IOException e) {
        if (server.isOpen()) {
          LOG.log(Level.DEBUG, "a connection failed", e);
        }
      }
    }
  }

  private void welcome(SocketChannel channel) {
    boolean stays = false;
    try {
      Handshake handshake = new Handshake(channel.socket(), token);
      Handshake.Hello hello = handshake.accept(rank);
      Handshake.Answer answer = admit(new Guest(channel, hello));
      handshake.answer(answer);
      stays = answer == Handshake.Answer.WELCOME;
      if (stays) {
        settle();
      }
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "a connection was refused", e);
      synchronized (this) {
        strangers++;
      }
    } finally {
      room.release();
      if (!stays) {
        close(channel);
      }
    }
  }

  private synchronized Handshake.Answer admit(Guest guest) throws IOException {
    Handshake.Hello hello = guest.hello();
    if (failure != null || !server.isOpen()) {
      // A socket that is being closed may still accept once.
      throw new Handshake.StrangerException("it comes too late");
    }
    if (hello.size() != size) {
      fail(
          hello.name()
              + " was started as one of "
              + hello.size()
              + " processes, this one as one of "
              + size);
      return Handshake.Answer.WRONG_SIZE;
    }
    Guest other = guests.get(hello.rank());
    if (other != null || hello.rank() <= rank || hello.rank() >= size) {
      String taken = other == null ? "this one" : other.hello().name();
      fail("two processes have the number " + hello.rank() + ": " + taken + " and " + hello.name());
      return Handshake.Answer.TAKEN_RANK;
    }
    guests.put(hello.rank(), guest);
    return Handshake.Answer.WELCOME;
  }

  /// Another guest has had its answer: its connection is for [#await]'s caller now.
  private synchronized void settle() {
    settled++;
    notifyAll();
  }

  private void fail(String message) {
    if (failure == null) {
      failure = new LaunchException(message);
      notifyAll();
    }
  }

  private static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "a connection cannot be closed", e);
    }
  }

  /// Lets nobody in any more; who is in stays.
  @Override
  public void close() throws IOException {
    server.close();
  }
}
