package moxin.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Runs a `main` of the test's class path in several processes that are told of each other by
/// torchrun's variables, as a launcher without MPI starts them.
public final class TcpRun {
  private final List<Process> processes;
  private final List<Path> outputs;

  private TcpRun(List<Process> processes, List<Path> outputs) {
    this.processes = List.copyOf(processes);
    this.outputs = List.copyOf(outputs);
  }

  /// How a run ended.
  ///
  /// @param exitCodes of the processes, by rank
  /// @param output standard output and error of all processes, in the order of ranks
  public record Ended(List<Integer> exitCodes, String output) {}

  /// Starts `ranks` processes of `main`.
  ///
  /// @param directory takes the output
  public static TcpRun start(Path directory, int ranks, Class<?> main, String... arguments)
      throws IOException {
    int port = freePort();
    List<Process> processes = new ArrayList<>();
    List<Path> outputs = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      Path output = Files.createTempFile(directory, "tcp" + rank + "-", ".txt");
      outputs.add(output);
      ProcessBuilder builder = new ProcessBuilder(JavaCommand.of(main, arguments));
      builder
          .environment()
          .putAll(
              Map.of(
                  "RANK", Integer.toString(rank),
                  "WORLD_SIZE", Integer.toString(ranks),
                  "LOCAL_RANK", Integer.toString(rank),
                  "LOCAL_WORLD_SIZE", Integer.toString(ranks),
                  "MASTER_ADDR", "127.0.0.1",
                  "MASTER_PORT", Integer.toString(port),
                  "MOXIN_JOB_TOKEN", "of the test"));
      processes.add(builder.redirectErrorStream(true).redirectOutput(output.toFile()).start());
    }
    return new TcpRun(processes, outputs);
  }

  /// [#start] and [#end].
  public static Ended run(Path directory, int ranks, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    return start(directory, ranks, main, arguments).end(Duration.ofMinutes(2));
  }

  /// The process of `rank`.
  public ProcessHandle process(int rank) {
    return processes.get(rank).toHandle();
  }

  /// What the process of `rank` has printed so far.
  public String output(int rank) throws IOException {
    return Files.readString(outputs.get(rank));
  }

  /// Waits until all processes have ended, and kills them after `limit`.
  public Ended end(Duration limit) throws IOException, InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    List<Integer> codes = new ArrayList<>();
    StringBuilder output = new StringBuilder();
    boolean over = true;
    for (Process process : processes) {
      over &= process.waitFor(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
    processes.forEach(Process::destroyForcibly);
    for (int rank = 0; rank < processes.size(); rank++) {
      codes.add(processes.get(rank).waitFor());
      output.append(output(rank));
    }
    if (!over) {
      throw new IllegalStateException("not over after " + limit + ":\n" + output);
    }
    return new Ended(codes, output.toString());
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
