package moxin.collective;

import java.lang.foreign.Arena;

/// What each process of [MpiCommunicatorIT] and [TcpProcessesIT] runs: the laws, with a failed
/// assertion as the exit code, or waiting for a process that sleeps.
final class ExchangeProgram {

  private ExchangeProgram() {}

  public static void main(String[] arguments) {
    Communicator communicator = Communicators.join(System.getenv());
    switch (arguments[0]) {
      case "check" -> {
        CommunicatorLaws.check(communicator);
        communicator.close();
        System.out.println("rank " + communicator.rank() + " is content");
      }
      case "hang" -> {
        System.out.println("pid " + communicator.rank() + " " + ProcessHandle.current().pid());
        try (Arena arena = Arena.ofShared()) {
          communicator.broadcast(arena.allocate(8), communicator.size() - 1);
          Thread.sleep(communicator.rank() == communicator.size() - 1 ? 600_000 : 0);
          communicator.barrier();
        } catch (CollectiveException e) {
          System.out.println("process " + communicator.rank() + " stops: " + e.getMessage());
          communicator.abort(1);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }
}
