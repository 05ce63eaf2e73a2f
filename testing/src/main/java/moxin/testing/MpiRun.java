package moxin.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/// Runs a `main` of the test's class path in several processes under `mpirun`. Tests that need it
/// are reported as skipped where Open MPI is absent.
public final class MpiRun {
  private final Process process;
  private final Path output;

  private MpiRun(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /// How a run ended.
  ///
  /// @param output standard output and error of all processes
  public record Ended(int exitCode, String output) {}

  /// Starts `ranks` processes of `main`; aborts the test where there is no `mpirun`.
  ///
  /// @param directory takes the output
  /// @param launcherOptions further options of `mpirun`
  public static MpiRun start(
      Path directory, int ranks, List<String> launcherOptions, Class<?> main, String... arguments)
      throws IOException {
    String path = System.getenv().getOrDefault("PATH", "");
    boolean found =
        Arrays.stream(path.split(File.pathSeparator, -1))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "mpirun")));
    Assumptions.assumeTrue(found, "needs mpirun (Open MPI)");
    List<String> command = new ArrayList<>(List.of("mpirun", "--oversubscribe"));
    command.addAll(launcherOptions);
    command.addAll(List.of("-n", Integer.toString(ranks)));
    command.addAll(JavaCommand.of(main, arguments));
    Path output = Files.createTempFile(directory, "mpirun", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
    builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    builder.redirectErrorStream(true).redirectOutput(output.toFile());
    return new MpiRun(builder.start(), output);
  }

  /// [#start] and [#end].
  public static Ended run(Path directory, int ranks, Class<?> main, String... arguments)
      throws IOException, InterruptedException {
    return start(directory, ranks, List.of(), main, arguments).end(Duration.ofMinutes(2));
  }

  /// `mpirun` itself.
  public ProcessHandle launcher() {
    return process.toHandle();
  }

  /// The processes that it has started so far.
  public List<ProcessHandle> started() {
    try (Stream<ProcessHandle> all = process.descendants()) {
      return all.toList();
    }
  }

  /// Waits until all processes have ended, and kills them after `limit`.
  public Ended end(Duration limit) throws IOException, InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      try (Stream<ProcessHandle> started = process.descendants()) {
        started.toList().forEach(ProcessHandle::destroyForcibly);
      }
      process.destroyForcibly().waitFor();
      throw new IllegalStateException("not over after " + limit + ":\n" + Files.readString(output));
    }
    return new Ended(process.exitValue(), Files.readString(output));
  }
}
