package moxin.collective;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Connects every process with every other: all join process 0, which tells where each of them
/// listens; then each dials those before it.
final class TcpMesh {
  private static final int MOST_PROCESSES = 4096;
  private static final int DIAL_MILLIS = 5_000;
  private static final long RETRY_MILLIS = 200;

  private final Rendezvous place;
  private final int rank;
  private final int size;
  private final String name;
  private final long end;

  private TcpMesh(Rendezvous place, int rank, int size, String name) {
    this.place = place;
    this.rank = rank;
    this.size = size;
    this.name = name;
    this.end = System.nanoTime() + place.patience().toNanos();
  }

  /// Another process, connected and recognised.
  record Neighbour(int rank, String name, SocketChannel channel) {}

  /// Where a process listens, as process 0 sees it.
  private record Seat(String host, int port, String name) {}

  /// All others in the order of their ranks; they get `name` as that of this process.
  ///
  /// @throws LaunchException if they do not come together
  static List<Neighbour> join(Rendezvous place, int rank, int size, String name) {
    if (size > MOST_PROCESSES) {
      throw new LaunchException(
          "at most " + MOST_PROCESSES + " processes work together, not " + size);
    }
    TcpMesh mesh = new TcpMesh(place, rank, size, name);
    try {
      return rank == 0 ? mesh.receive() : mesh.visit();
    } catch (IOException e) {
      throw new LaunchException("the processes cannot meet at " + place + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LaunchException("interrupted while the processes met at " + place, e);
    }
  }

  /// What process 0 does.
  private List<Neighbour> receive() throws IOException, InterruptedException {
    InetSocketAddress address =
        place.isLocal()
            ? new InetSocketAddress(place.host(), place.port())
            : new InetSocketAddress(place.port());
    try (Doorway doorway = Doorway.open(address, place.token(), 0, size)) {
      Map<Integer, Doorway.Guest> guests = doorway.await(left());
      List<Neighbour> all = new ArrayList<>();
      for (int other = 1; other < size; other++) {
        all.add(neighbour(other, guests));
        tellSeats(all.getLast().channel(), guests);
      }
      return all;
    } catch (BindException e) {
      throw new LaunchException(
          "port "
              + place.port()
              + " is taken, or not this machine's: name another with MASTER_PORT for all processes"
              + " ("
              + e.getMessage()
              + ")",
          e);
    }
  }

  private void tellSeats(SocketChannel channel, Map<Integer, Doorway.Guest> guests)
      throws IOException {
    DataOutputStream out = new DataOutputStream(channel.socket().getOutputStream());
    out.writeUTF(name);
    for (int other = 1; other < size; other++) {
      Doorway.Guest guest = seat(other, guests);
      InetSocketAddress from = (InetSocketAddress) guest.channel().getRemoteAddress();
      out.writeUTF(from.getAddress().getHostAddress());
      out.writeInt(guest.hello().port());
      out.writeUTF(guest.hello().name());
    }
  }

  private static Doorway.Guest seat(int other, Map<Integer, Doorway.Guest> guests) {
    return Optional.ofNullable(guests.get(other))
        .orElseThrow(() -> new IllegalStateException("process " + other + " was let in"));
  }

  private static Neighbour neighbour(int other, Map<Integer, Doorway.Guest> guests)
      throws IOException {
    Doorway.Guest guest = seat(other, guests);
    return new Neighbour(other, guest.hello().name(), ready(guest.channel()));
  }

  /// What the others do: they listen first, so that whoever hears of them reaches them.
  private List<Neighbour> visit() throws IOException, InterruptedException {
    InetSocketAddress anyPort =
        place.isLocal() ? new InetSocketAddress(place.host(), 0) : new InetSocketAddress(0);
    try (Doorway doorway = Doorway.open(anyPort, place.token(), rank, size)) {
      SocketChannel leader = dial(place.host(), place.port(), 0, doorway.port());
      List<Seat> seats = seats(leader);
      InetSocketAddress reached = (InetSocketAddress) leader.getRemoteAddress();
      List<Neighbour> all = new ArrayList<>();
      all.add(new Neighbour(0, seats.getFirst().name(), ready(leader)));
      for (int other = 1; other < rank; other++) {
        Seat seat = seats.get(other);
        // Who reached process 0 by the loopback is on its machine.
        boolean beside = InetAddress.getByName(seat.host()).isLoopbackAddress();
        String host = beside ? reached.getAddress().getHostAddress() : seat.host();
        all.add(new Neighbour(other, seat.name(), ready(dial(host, seat.port(), other, 0))));
      }
      Map<Integer, Doorway.Guest> guests = doorway.await(left());
      for (int other = rank + 1; other < size; other++) {
        all.add(neighbour(other, guests));
      }
      return all;
    }
  }

  private List<Seat> seats(SocketChannel leader) throws IOException {
    leader.socket().setSoTimeout((int) Math.min(Integer.MAX_VALUE, left().toMillis() + 30_000));
    DataInputStream in = new DataInputStream(leader.socket().getInputStream());
    try {
      List<Seat> seats = new ArrayList<>();
      seats.add(new Seat(place.host(), place.port(), in.readUTF()));
      for (int other = 1; other < size; other++) {
        seats.add(new Seat(in.readUTF(), in.readInt(), in.readUTF()));
      }
      return seats;
    } catch (IOException e) {
      throw new LaunchException("process 0 at " + place + " has given up before all had joined", e);
    }
  }

  /// Connects to process `target`, again and again until it is there.
  private SocketChannel dial(String host, int port, int target, int ownPort)
      throws IOException, InterruptedException {
    String reason = "";
    do {
      SocketChannel channel = SocketChannel.open();
      boolean done = false;
      try {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(host), port);
        channel.socket().connect(address, DIAL_MILLIS);
        Handshake handshake = new Handshake(channel.socket(), place.token());
        Handshake.Hello hello = new Handshake.Hello(size, rank, ownPort, name);
        requireWelcome(handshake.dial(hello, target), host + ":" + port);
        done = true;
        return channel;
      } catch (Handshake.StrangerException e) {
        throw new LaunchException(
            host + ":" + port + " is not process " + target + " of this job: " + e.getMessage(), e);
      } catch (IOException e) {
        reason = reason(e);
      } finally {
        if (!done) {
          channel.close();
        }
      }
      Thread.sleep(RETRY_MILLIS);
    } while (!left().isZero());
    throw new LaunchException(
        "process "
            + target
            + " cannot be reached at "
            + host
            + ":"
            + port
            + " within "
            + place.patience().toSeconds()
            + " s: "
            + reason);
  }

  private static String reason(IOException e) {
    return switch (e) {
      case UnknownHostException _ -> "unknown host";
      case EOFException _ -> "it hangs up";
      default -> String.valueOf(e.getMessage());
    };
  }

  private void requireWelcome(Handshake.Answer answer, String where) {
    switch (answer) {
      case WELCOME -> {}
      case WRONG_TOKEN ->
          throw new LaunchException(
              where + " has another " + Rendezvous.TOKEN + " than this process");
      case WRONG_SIZE ->
          throw new LaunchException(
              where + " belongs to a job that has not " + size + " processes as this one believes");
      case TAKEN_RANK ->
          throw new LaunchException(where + " has a process " + rank + " already, as this one is");
    }
  }

  private static SocketChannel ready(SocketChannel channel) throws IOException {
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    return channel;
  }

  private Duration left() {
    return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
  }
}
