package moxin.collective;

import java.util.Map;

/// Joins the job that this process was started for.
public final class Communicators {

  private Communicators() {}

  /// The communicator of the launcher that `environment` tells of; that of one process where there
  /// is none. At most one may be opened in the life of a process.
  ///
  /// @throws LaunchException if several processes were started, and cannot reach each other
  public static Communicator join(Map<String, String> environment) {
    LaunchEnvironment launch = LaunchEnvironment.of(environment);
    return switch (launch.transport()) {
      case NONE -> new SoloCommunicator();
      case MPI -> launch.size() == 1 ? new SoloCommunicator() : MpiCommunicator.join(launch);
      case RENDEZVOUS ->
          launch.size() == 1
              ? new SoloCommunicator()
              : TcpCommunicator.join(launch, Rendezvous.of(environment, launch));
    };
  }
}
