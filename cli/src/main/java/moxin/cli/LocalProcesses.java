package moxin.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import moxin.train.JobSignal;

/// Processes of one job on this machine, which meet by torchrun's variables and a secret of their
/// own. All share this process's output; process 0 has its input too. SIGTERM and Ctrl-C are passed
/// on, and a second one kills. When one has failed, the others have half a minute to end.
final class LocalProcesses implements AutoCloseable {
  private static final long GRACE_MILLIS = 30_000;
  private static final long POLL_MILLIS = 50;

  private final List<Process> processes = new ArrayList<>();
  private final JobSignal signal = new JobSignal(_ -> passOn());
  private final StopSignals signals = StopSignals.listen(signal);

  private LocalProcesses() {}

  /// Starts `count` processes.
  ///
  /// @param parentVariable a variable that tells them this process's number
  static LocalProcesses start(List<String> command, int count, String parentVariable)
      throws IOException {
    byte[] secret = new byte[16];
    new SecureRandom().nextBytes(secret);
    String token = HexFormat.of().formatHex(secret);
    String port = Integer.toString(freePort());
    LocalProcesses started = new LocalProcesses();
    try {
      for (int rank = 0; rank < count; rank++) {
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        if (rank > 0) {
          builder.redirectInput(ProcessBuilder.Redirect.PIPE);
        }
        builder
            .environment()
            .putAll(
                Map.of(
                    "RANK",
                    Integer.toString(rank),
                    "WORLD_SIZE",
                    Integer.toString(count),
                    "LOCAL_RANK",
                    Integer.toString(rank),
                    "LOCAL_WORLD_SIZE",
                    Integer.toString(count),
                    "MASTER_ADDR",
                    "127.0.0.1",
                    "MASTER_PORT",
                    port,
                    "MOXIN_JOB_TOKEN",
                    token,
                    parentVariable,
                    Long.toString(ProcessHandle.current().pid())));
        started.add(builder.start());
      }
      return started;
    } catch (IOException e) {
      started.close();
      throw e;
    }
  }

  /// A port that was free just now. Should another program take it meanwhile, process 0 says so.
  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private synchronized void add(Process process) {
    processes.add(process);
  }

  private synchronized List<Process> all() {
    return List.copyOf(processes);
  }

  /// A terminal sends Ctrl-C to all its processes at once, which count what follows at once as the
  /// same signal.
  private void passOn() {
    all().forEach(Process::destroy);
  }

  /// Waits until all have ended, and returns how: 128 and the signal where one came, else the first
  /// exit code other than 0.
  int await() throws InterruptedException {
    long failedAt = 0;
    int code = 0;
    while (all().stream().anyMatch(Process::isAlive)) {
      for (Process process : all()) {
        if (code == 0 && !process.isAlive() && process.exitValue() != 0) {
          code = process.exitValue();
          failedAt = System.nanoTime();
        }
      }
      if (code != 0 && System.nanoTime() - failedAt > TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS)) {
        all().forEach(Process::destroyForcibly);
      }
      Thread.sleep(POLL_MILLIS);
    }
    for (Process process : all()) {
      code = code == 0 ? process.exitValue() : code;
    }
    return code > 128 && signal.number() != 0 ? StopSignals.exitCode(signal) : code;
  }

  /// Ends what still runs.
  @Override
  public void close() {
    all().forEach(Process::destroyForcibly);
    signals.close();
  }
}
