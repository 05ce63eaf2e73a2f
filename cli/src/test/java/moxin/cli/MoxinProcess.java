package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import moxin.testing.SharedData;

/// A real process of the command `moxin`: the classpath of this test's JVM, the flags of
/// `jvm.args`, its output in files. Closing it kills it where it still runs.
final class MoxinProcess implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  private final List<String> arguments;
  private final Process process;
  private final Path out;
  private final Path err;

  private MoxinProcess(List<String> arguments, Process process, Path out, Path err) {
    this.arguments = arguments;
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /// Where and how processes are started.
  ///
  /// @param directory their working directory
  /// @param jvmArguments further flags of their JVM, which win
  /// @param input what they read from standard input
  record Launch(Path directory, List<String> jvmArguments, String input) {

    /// In `directory`, with no input.
    static Launch in(Path directory) {
      return new Launch(directory, List.of(), "");
    }

    /// For commands that soon end: their JVM does not warm up.
    static Launch brieflyIn(Path directory) {
      return in(directory).with("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
    }

    Launch with(String... flags) {
      return new Launch(directory, List.of(flags), input);
    }

    Launch reading(String text) {
      return new Launch(directory, jvmArguments, text);
    }

    /// Starts `moxin` with `arguments` and returns at once.
    MoxinProcess start(List<String> arguments) throws IOException {
      Path root = SharedData.projectRoot();
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.add("-Xmx1g");
      command.add("@" + root.resolve("jvm.args"));
      command.add("-Dmoxin.home=" + root);
      command.addAll(jvmArguments);
      command.addAll(List.of("-cp", System.getProperty("java.class.path"), "moxin.cli.Main"));
      command.addAll(arguments);
      Path out = Files.createTempFile("moxin-", ".out");
      Path err = Files.createTempFile("moxin-", ".err");
      Path in = Files.createTempFile("moxin-", ".in");
      Files.writeString(in, input);
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectInput(in.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().remove("MOXIN_TRACE");
      builder.environment().remove("JAVA_TOOL_OPTIONS");
      return new MoxinProcess(List.copyOf(arguments), builder.start(), deleted(out), deleted(err));
    }

    /// Runs `moxin` with `arguments` to its end.
    Outcome run(String... arguments) throws IOException, InterruptedException {
      return run(List.of(arguments));
    }

    Outcome run(List<String> arguments) throws IOException, InterruptedException {
      try (MoxinProcess process = start(arguments)) {
        return process.await();
      }
    }

    private static Path deleted(Path file) {
      File later = file.toFile();
      later.deleteOnExit();
      return file;
    }
  }

  /// What a process came to.
  record Outcome(List<String> arguments, int exitCode, String out, String err) {

    /// What it wrote to standard error, without the JVM's own remark on incubating modules.
    List<String> messages() {
      return err.lines()
          .filter(line -> !line.equals("WARNING: Using incubator modules: jdk.incubator.vector"))
          .toList();
    }

    Outcome exits(int code) {
      assertThat(exitCode).as("exit code of %s", this).isEqualTo(code);
      return this;
    }

    @Override
    public String toString() {
      return "moxin " + String.join(" ", arguments) + "\n" + out + "\n" + err + "\n";
    }
  }

  /// Waits for the end.
  Outcome await() throws IOException, InterruptedException {
    if (!endsWithin(PATIENCE)) {
      kill();
      throw new AssertionError("took longer than " + PATIENCE + ": " + outcome());
    }
    return outcome();
  }

  /// Whether the process ends before `time` is over.
  boolean endsWithin(Duration time) throws InterruptedException {
    return process.waitFor(time.toNanos(), TimeUnit.NANOSECONDS);
  }

  /// SIGKILL: the process has no chance to tidy up.
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  long pid() {
    return process.pid();
  }

  /// What it wrote to standard error until now.
  String err() throws IOException {
    return Files.readString(err, StandardCharsets.UTF_8);
  }

  private Outcome outcome() throws IOException {
    return new Outcome(
        arguments, process.exitValue(), Files.readString(out, StandardCharsets.UTF_8), err());
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
