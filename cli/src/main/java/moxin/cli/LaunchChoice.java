package moxin.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import moxin.collective.LaunchEnvironment;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// The options that have a command start its processes itself.
final class LaunchChoice {
  /// Set in processes that were started by this: the launcher's process.
  private static final String PARENT = "MOXIN_LAUNCHER_PID";

  @Option(
      names = "--launcher",
      paramLabel = "LAUNCHER",
      description =
          "local: start --processes of them on this machine; without, processes are those that"
              + " mpirun, srun, torchrun or the like started")
  private Launcher launcher = Launcher.NONE;

  @Option(names = "--processes", paramLabel = "N", description = "how many --launcher starts")
  private Optional<Integer> processes = Optional.empty();

  /// Who starts processes.
  enum Launcher {
    /// Whoever has started this one.
    NONE,
    /// This command, on this machine.
    LOCAL
  }

  /// The exit code of the processes that were asked for, once they have ended; empty where this
  /// process is to do the work itself.
  OptionalInt run(CommandSpec spec) throws IOException, InterruptedException {
    String parent = System.getenv(PARENT);
    if (parent != null) {
      endWith(Long.parseLong(parent));
      return OptionalInt.empty();
    }
    if (launcher == Launcher.NONE) {
      if (processes.isPresent()) {
        throw new ParameterException(spec.commandLine(), "--processes belongs to --launcher");
      }
      return OptionalInt.empty();
    }
    int count = processes.orElse(0);
    if (count < 1 || count > 256) {
      throw new ParameterException(
          spec.commandLine(), "--launcher=local needs --processes from 1 to 256");
    }
    LaunchEnvironment outer = LaunchEnvironment.of(System.getenv());
    if (!outer.equals(LaunchEnvironment.ALONE)) {
      throw new ParameterException(
          spec.commandLine(),
          "--launcher starts processes, but this is one of those that "
              + outer.launcher()
              + " started");
    }
    List<String> command = command(spec.commandLine());
    try (LocalProcesses started = LocalProcesses.start(command, count, PARENT)) {
      return OptionalInt.of(started.await());
    }
  }

  /// The process that this one would be if it were started as one of several.
  private static List<String> command(CommandLine line) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(line.getParseResult().originalArgs());
    return command;
  }

  /// Ends this process when its launcher has ended, however that did.
  private static void endWith(long launcher) {
    Thread.ofVirtual()
        .name("moxin-launcher-watch")
        .start(
            () -> {
              ProcessHandle.of(launcher).ifPresent(process -> process.onExit().join());
              Runtime.getRuntime().halt(CommandLine.ExitCode.SOFTWARE);
            });
  }
}
