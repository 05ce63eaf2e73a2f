package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.train.verify.FileHash;
import moxin.train.verify.Kill;
import moxin.train.verify.ResumeReport;
import moxin.train.verify.ResumeVerification;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/// `moxin train verify-resume`.
@Command(
    name = "verify-resume",
    description = {
      "Show that a recipe's run resumes to the bit: run it once undisturbed and once killed at"
          + " random steps, and compare weights, optimizer state and losses.",
      "Options of moxin train, such as --tokens, come after RECIPE and are passed on. Exit code 1 if"
          + " anything differs."
    },
    mixinStandardHelpOptions = true)
final class VerifyResumeCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RECIPE", description = "the recipe")
  private Path recipe = Path.of("recipe.yaml");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "where both runs go; it must not hold any yet")
  private Path out = Path.of("verify");

  @Option(
      names = "--kills",
      paramLabel = "N",
      description = "how often the run is killed (default: ${DEFAULT-VALUE})")
  private int kills = 5;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "of the steps at which it is (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Unmatched private List<String> passedOn = new ArrayList<>();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (kills < 1) {
      throw new picocli.CommandLine.ParameterException(
          spec.commandLine(), "--kills must be at least 1, found " + kills);
    }
    ResumeReport report =
        new ResumeVerification(this::start, out, TerminalProgress.onStandardError())
            .run(kills, seed);
    print(report, spec.commandLine().getOut());
    return report.difference().isEmpty() ? 0 : 1;
  }

  /// The process that this one would be with `train` for its command.
  private Process start(Path run, Path log) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("train", recipe.toString(), "--out", run.toString(), "--resume"));
    command.addAll(passedOn);
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  private static void print(ResumeReport report, PrintWriter out) {
    for (Kill kill : report.kills()) {
      out.printf(
          "killed   %s at step %d, exit code %d%n",
          kill.signal(), kill.lastStep(), kill.exitCode());
    }
    for (FileHash file : report.files()) {
      out.printf("whole    %s  %s%n", file.whole(), file.file());
      out.printf("resumed  %s  %s%n", file.killed(), file.file());
    }
    out.println(
        report
            .difference()
            .map(difference -> "DIFFERENT: " + difference)
            .orElse(
                "equal after "
                    + report.steps()
                    + " steps and "
                    + report.kills().size()
                    + " kills, to the bit"));
    out.flush();
  }
}
