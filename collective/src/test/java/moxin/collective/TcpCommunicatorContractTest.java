package moxin.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Threads of this process as the processes of a job, on real connections.
@Timeout(120)
final class TcpCommunicatorContractTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final AtomicInteger halted = new AtomicInteger(-1);
  private final int port = freePort();

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  private Rendezvous place(String token, Duration patience) {
    return new Rendezvous("127.0.0.1", port, token, patience);
  }

  private TcpCommunicator join(int rank, int size, Rendezvous place) {
    return TcpCommunicator.join(rank, size, place, "process " + rank, halted::set);
  }

  /// Runs `work` on each of `size` processes.
  private void job(int size, Consumer<TcpCommunicator> work) throws Exception {
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        int rank = i;
        all.add(threads.submit(() -> take(rank, size, work)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
  }

  private void take(int rank, int size, Consumer<TcpCommunicator> work) {
    TcpCommunicator communicator = join(rank, size, place("t", PATIENCE));
    try {
      work.accept(communicator);
    } finally {
      communicator.disconnect(); // the others would wait for a thread that has failed
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 7})
  void theLawsHold(int size) throws Exception {
    job(
        size,
        communicator -> {
          CommunicatorLaws.check(communicator);
          communicator.close();
        });
  }

  @Test
  void aProcessThatEndsIsNamedByTheOthers() throws Exception {
    List<String> messages = Collections.synchronizedList(new ArrayList<>());
    job(
        3,
        communicator -> {
          communicator.barrier();
          if (communicator.rank() == 1) {
            return;
          }
          try (Arena arena = Arena.ofShared()) {
            communicator.broadcast(arena.allocate(8), 1);
          } catch (CollectiveException e) {
            messages.add(e.getMessage());
          }
          communicator.close();
        });
    assertThat(messages)
        .hasSize(2)
        .allMatch(message -> message.startsWith("process 1 has ended before the job"));
  }

  @Test
  void otherSizesThanExpectedAreAnErrorAndNoMemoryIsWritten() throws Exception {
    job(
        2,
        communicator -> {
          try (Arena arena = Arena.ofShared()) {
            MemorySegment data = arena.allocate(communicator.rank() == 0 ? 8 : 16);
            data.fill((byte) 7);
            if (communicator.rank() == 0) {
              communicator.broadcast(data, 0);
            } else {
              assertThatThrownBy(() -> communicator.broadcast(data, 0))
                  .isInstanceOf(CollectiveException.class)
                  .hasMessageContaining("8 bytes where 16 are expected");
              assertThat(data.mismatch(arena.allocate(16).fill((byte) 7))).isEqualTo(-1);
            }
          }
        });
  }

  @Test
  void abortingEndsTheOthersWithItsCode() throws Exception {
    List<Integer> codes = Collections.synchronizedList(new ArrayList<>());
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<?> other =
          threads.submit(
              () -> {
                TcpCommunicator one =
                    TcpCommunicator.join(1, 2, place("t", PATIENCE), "process 1", codes::add);
                assertThatThrownBy(one::barrier).isInstanceOf(CollectiveException.class);
                one.close();
              });
      TcpCommunicator leader =
          TcpCommunicator.join(0, 2, place("t", PATIENCE), "process 0", halted::set);
      leader.abort(143);
      leader.disconnect();
      other.get();
    }
    assertThat(codes).containsExactly(143);
    assertThat(halted).hasValue(143);
  }

  @Test
  void strangersAreSentAwayAndTheJobGoesOn() throws Exception {
    Random random = new Random(17);
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<TcpCommunicator> leader = threads.submit(() -> join(0, 2, place("t", PATIENCE)));
      byte[] noise = new byte[4096];
      random.nextBytes(noise);
      for (byte[] sent :
          List.of(noise, "GET / HTTP/1.1\r\n\r\n".repeat(9).getBytes(StandardCharsets.UTF_8))) {
        try (Socket stranger = connect();
            OutputStream out = stranger.getOutputStream()) {
          out.write(sent);
        }
      }
      assertThatThrownBy(() -> join(1, 2, place("guess", PATIENCE)))
          .isInstanceOf(LaunchException.class)
          .hasMessage("127.0.0.1:" + port + " has another MOXIN_JOB_TOKEN than this process");
      Future<?> member =
          threads.submit(() -> CommunicatorLaws.check(join(1, 2, place("t", PATIENCE))));
      CommunicatorLaws.check(leader.get());
      member.get();
    }
  }

  private Socket connect() throws Exception {
    for (int i = 0; ; i++) {
      try {
        return new Socket(InetAddress.getLoopbackAddress(), port);
      } catch (java.net.ConnectException e) {
        if (i == 100) {
          throw e;
        }
        Thread.sleep(20);
      }
    }
  }

  @Test
  void missingProcessesAreNamed() {
    assertThatThrownBy(() -> join(0, 4, place("t", Duration.ofMillis(300))))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("3 of 4 processes have not joined: 1, 2, 3");
    assertThatThrownBy(() -> join(1, 4, place("t", Duration.ofMillis(300))))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("process 0 cannot be reached at 127.0.0.1:" + port);
  }

  @Test
  void aTakenPortIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      assertThat(taken.isBound()).isTrue();
      assertThatThrownBy(() -> join(0, 2, place("t", PATIENCE)))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("port " + port + " is taken");
    }
  }

  @Test
  void aPortOfAnotherProgramIsNoProcess() throws Exception {
    try (ServerSocket other = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
        ExecutorService threads = Executors.newCachedThreadPool()) {
      Future<Integer> serving =
          threads.submit(
              () -> {
                try (Socket socket = other.accept()) {
                  socket
                      .getOutputStream()
                      .write("220 mail ready for you\r\n".getBytes(StandardCharsets.UTF_8));
                  return socket.getLocalPort();
                }
              });
      assertThatThrownBy(() -> join(1, 2, place("t", PATIENCE)))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("is not process 0 of this job: it is no process of Moxin");
      assertThat(serving.get()).isEqualTo(port);
    }
  }

  @Test
  void twoProcessesWithOneNumberAreNamed() throws Exception {
    assertFails(
        new int[][] {{0, 3}, {1, 3}, {1, 3}},
        "two processes have the number 1: process 1 and process 1",
        "has a process 1 already");
  }

  @Test
  void processesThatDisagreeAboutTheirCountAreNamed() throws Exception {
    assertFails(
        new int[][] {{0, 3}, {1, 2}},
        "process 1 was started as one of 2 processes, this one as one of 3",
        "belongs to a job that has not 2 processes");
  }

  private void assertFails(int[][] ranksAndSizes, String... messages) throws Exception {
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> all = new ArrayList<>();
      for (int[] one : ranksAndSizes) {
        all.add(threads.submit(() -> join(one[0], one[1], place("t", PATIENCE))));
      }
      StringBuilder found = new StringBuilder();
      for (Future<?> one : all) {
        try {
          one.get();
        } catch (ExecutionException e) {
          assertThat(e.getCause()).isInstanceOf(LaunchException.class);
          found.append(e.getCause().getMessage()).append('\n');
        }
      }
      assertThat(found.toString()).contains(messages);
    }
  }
}
