package moxin.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/// The command `moxin`.
@Command(
    name = "moxin",
    description = "A fully open language model, from documents to a released, runnable model.",
    mixinStandardHelpOptions = true,
    versionProvider = VersionText.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      QuickstartCommand.class,
      DataCommand.class,
      TokenizerCommand.class,
      TrainCommand.class,
      ReportCommand.class,
      AdapterCommand.class,
      ConvertCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ScoreCommand.class,
      EvalCommand.class,
      PerplexityCommand.class,
      DoctorCommand.class,
      ReleaseCommand.class,
      BenchCommand.class,
      HelpCommand.class,
    })
public final class Main {

  private Main() {}

  /// Runs a command and exits with its code: 0 done, 1 failed, 2 wrong use.
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /// Runs a command and returns its exit code.
  static int run(String... args) {
    CommandLine line = new CommandLine(new Main());
    line.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler(new Failures());
    line.setParameterExceptionHandler(new WrongUse());
    line.setUsageHelpAutoWidth(true);
    try {
      return line.execute(args);
    } catch (OutOfMemoryError e) {
      line.getErr().println("moxin: " + Failures.describe(e));
      return CommandLine.ExitCode.SOFTWARE;
    }
  }
}
