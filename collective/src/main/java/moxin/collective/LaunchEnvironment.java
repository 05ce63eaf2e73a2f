package moxin.collective;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which process of how many this is, as the launcher says in environment variables.
///
/// @param launcher who started the processes, for messages
/// @param rank from 0
/// @param localRank among the processes of this machine, from 0; 0 where unknown
/// @param localSize how many processes this machine has, as far as known
/// @param transport whether the launcher brings a transport of its own
public record LaunchEnvironment(
    String launcher, int rank, int size, int localRank, int localSize, Transport transport) {

  /// How the processes can reach each other.
  public enum Transport {
    /// There is one process.
    NONE,
    /// By the launcher's process management interface, which MPI uses.
    MPI,
    /// By TCP, from an address on that they are told: MASTER_ADDR and MASTER_PORT.
    RENDEZVOUS
  }

  /// A process by itself.
  public static final LaunchEnvironment ALONE =
      new LaunchEnvironment("nobody", 0, 1, 0, 1, Transport.NONE);

  public LaunchEnvironment {
    if (size < 1 || rank < 0 || rank >= size || localRank < 0 || localRank >= localSize) {
      throw new LaunchException(
          launcher
              + " says that this is process "
              + rank
              + " of "
              + size
              + ", "
              + localRank
              + " of "
              + localSize
              + " on this machine, which cannot be");
    }
  }

  private record Names(
      String launcher,
      String rank,
      String size,
      String localRank,
      String localSize,
      Transport transport) {}

  /// In this order: a launcher may run within another's allocation.
  private static final List<Names> KNOWN =
      List.of(
          new Names(
              "Open MPI",
              "OMPI_COMM_WORLD_RANK",
              "OMPI_COMM_WORLD_SIZE",
              "OMPI_COMM_WORLD_LOCAL_RANK",
              "OMPI_COMM_WORLD_LOCAL_SIZE",
              Transport.MPI),
          // Set in steps only: a batch script has SLURM_PROCID too, and is one process.
          new Names(
              "Slurm",
              "SLURM_PROCID",
              "SLURM_STEP_NUM_TASKS",
              "SLURM_LOCALID",
              "SLURM_NTASKS_PER_NODE",
              Transport.RENDEZVOUS),
          new Names(
              "PMI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", Transport.MPI),
          new Names(
              "RANK and WORLD_SIZE",
              "RANK",
              "WORLD_SIZE",
              "LOCAL_RANK",
              "LOCAL_WORLD_SIZE",
              Transport.RENDEZVOUS),
          // The pods of an indexed job; how many there are has to be said beside it.
          new Names(
              "Kubernetes",
              "JOB_COMPLETION_INDEX",
              "WORLD_SIZE",
              "LOCAL_RANK",
              "LOCAL_WORLD_SIZE",
              Transport.RENDEZVOUS));

  /// One of them is set in a step of Slurm whose processes MPI can connect.
  private static final List<String> PROCESS_MANAGEMENT = List.of("PMIX_RANK", "PMI_RANK");

  /// Reads the variables of Open MPI, Slurm, PMI (MPICH, Intel MPI), torchrun and Kubernetes.
  ///
  /// @throws LaunchException if a value is no number or does not fit the others
  public static LaunchEnvironment of(Map<String, String> environment) {
    for (Names names : KNOWN) {
      if (environment.containsKey(names.rank()) && environment.containsKey(names.size())) {
        int localRank = number(environment, names.localRank()).orElse(0);
        return new LaunchEnvironment(
            names.launcher(),
            number(environment, names.rank()).orElseThrow(),
            number(environment, names.size()).orElseThrow(),
            localRank,
            Math.max(localRank + 1, number(environment, names.localSize()).orElse(1)),
            managed(environment) ? Transport.MPI : names.transport());
      }
    }
    return ALONE;
  }

  private static boolean managed(Map<String, String> environment) {
    return environment.containsKey("SLURM_PROCID")
        && PROCESS_MANAGEMENT.stream().anyMatch(environment::containsKey);
  }

  private static Optional<Integer> number(Map<String, String> environment, String name) {
    String value = environment.get(name);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.matches("[0-9]{1,9}")) {
      throw new LaunchException(name + "=" + value.strip() + " is no number of processes");
    }
    return Optional.of(Integer.parseInt(value));
  }
}
