package moxin.collective;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where the processes of a job meet when no launcher's own transport connects them, and how they
/// know each other.
///
/// @param host a name or address of process 0's machine
/// @param port where process 0 listens
/// @param token a secret that all processes of the job know; empty on one machine only
/// @param patience how long to wait for the others
record Rendezvous(String host, int port, String token, Duration patience) {
  /// The shared secret.
  static final String TOKEN = "MOXIN_JOB_TOKEN";

  /// How many seconds to wait for the others.
  static final String PATIENCE = "MOXIN_JOIN_SECONDS";

  private static final int DEFAULT_SECONDS = 300;
  private static final int FIRST_SLURM_PORT = 20_000;
  private static final int SLURM_PORTS = 12_000;

  /// Reads MASTER_ADDR and MASTER_PORT, in their absence Slurm's list of nodes and number of the
  /// job, the token and the patience.
  ///
  /// @throws LaunchException if they do not say enough, or no token protects a port that other
  ///   machines reach
  static Rendezvous of(Map<String, String> environment, LaunchEnvironment launch) {
    String host =
        value(environment, "MASTER_ADDR")
            .or(() -> slurmHost(environment))
            .orElseThrow(() -> incomplete(launch, "MASTER_ADDR"));
    int port =
        value(environment, "MASTER_PORT")
            .map(text -> number("MASTER_PORT", text, 65_535))
            .or(() -> slurmPort(environment))
            .orElseThrow(() -> incomplete(launch, "MASTER_PORT"));
    if (value(environment, "TORCHELASTIC_USE_AGENT_STORE").equals(Optional.of("True"))) {
      port++; // torchrun itself listens at the port that it tells
    }
    String token = value(environment, TOKEN).orElse("");
    if (token.isEmpty() && !isLoopback(host)) {
      throw new LaunchException(
          "process 0 listens at "
              + host
              + ", which other machines reach: set "
              + TOKEN
              + " to the same secret for all processes");
    }
    int seconds =
        value(environment, PATIENCE)
            .map(text -> number(PATIENCE, text, 86_400))
            .orElse(DEFAULT_SECONDS);
    return new Rendezvous(host, port, token, Duration.ofSeconds(seconds));
  }

  /// Whether only processes of this machine reach process 0.
  boolean isLocal() {
    return isLoopback(host);
  }

  private static boolean isLoopback(String host) {
    return host.equals("localhost") || host.equals("::1") || host.matches("127(\\.[0-9]{1,3}){3}");
  }

  private static LaunchException incomplete(LaunchEnvironment launch, String missing) {
    return new LaunchException(
        launch.launcher()
            + " started "
            + launch.size()
            + " processes, but "
            + missing
            + " does not say where process 0 listens; set MASTER_ADDR and MASTER_PORT, or start"
            + " them with mpirun -n "
            + launch.size());
  }

  private static Optional<String> slurmHost(Map<String, String> environment) {
    return List.of("SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST").stream()
        .flatMap(name -> value(environment, name).stream())
        .map(Rendezvous::firstHost)
        .findFirst();
  }

  /// A port of the job's own, since jobs may share a machine.
  private static Optional<Integer> slurmPort(Map<String, String> environment) {
    return value(environment, "SLURM_JOB_ID")
        .map(id -> FIRST_SLURM_PORT + number("SLURM_JOB_ID", id, Integer.MAX_VALUE) % SLURM_PORTS);
  }

  /// The first of a list as Slurm writes it: `gpu[03-07,09],login` begins with `gpu03`.
  static String firstHost(String nodes) {
    StringBuilder host = new StringBuilder();
    int at = 0;
    while (at < nodes.length() && nodes.charAt(at) != ',') {
      char letter = nodes.charAt(at);
      if (letter != '[') {
        host.append(letter);
        at++;
        continue;
      }
      int end = nodes.indexOf(']', at);
      if (end < 0) {
        throw new LaunchException("Slurm's list of nodes " + nodes + " has no end");
      }
      host.append(nodes.substring(at + 1, end).split("[,-]", 2)[0]);
      at = end + 1;
    }
    return host.toString();
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name))
        .map(String::strip)
        .filter(text -> !text.isEmpty());
  }

  private static int number(String name, String text, int most) {
    long number = text.matches("[0-9]{1,10}") ? Long.parseLong(text) : 0;
    if (number < 1 || number > most) {
      throw new LaunchException(name + "=" + text + " is no number from 1 to " + most);
    }
    return (int) number;
  }

  @Override
  public String toString() {
    return host + ":" + port;
  }
}
