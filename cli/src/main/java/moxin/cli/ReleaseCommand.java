package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.release.ReleaseBuilder;
import moxin.release.ReleaseCheck;
import moxin.release.ReleaseOptions;
import moxin.release.mof.OpennessCardFile;
import moxin.release.mof.OpennessEvaluation;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin release`.
@Command(
    name = "release",
    description = "Release a run, and check how open a release is.",
    mixinStandardHelpOptions = true,
    subcommands = {ReleaseCommand.Build.class, ReleaseCommand.Check.class})
final class ReleaseCommand {

  private ReleaseCommand() {}

  /// `moxin release build`.
  @Command(
      name = "build",
      description = {
        "Gather a run into a release folder: weights, checkpoints, data, evaluation, code, cards.",
        "Says which Model Openness Framework class its files reach and what is missing."
      },
      mixinStandardHelpOptions = true)
  static final class Build implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", description = "the directory of the run")
    private Path run = Path.of("run");

    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "the release folder, replaced when the release is complete")
    private Path out = Path.of("release");

    @Option(
        names = "--with",
        paramLabel = "DIR",
        description = "where a corpus, tokens or tokenizer lie that are not in RUN; repeatable")
    private List<Path> further = List.of();

    @Option(names = "--json", description = "print JSON")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      ReleaseCheck.Report report =
          ReleaseBuilder.build(
              run,
              out,
              ReleaseOptions.ofRunningProgram().withArtefacts(further),
              TerminalProgress.onStandardError());
      PrintWriter to = spec.commandLine().getOut();
      ReleaseReport printed = ReleaseReport.of(report);
      if (json) {
        to.println(printed.toJson());
      } else {
        printed.print(to);
        to.println(out);
      }
      to.flush();
      return 0;
    }
  }

  /// `moxin release check`.
  @Command(
      name = "check",
      description = {
        "Compute the Model Openness Framework class of a release folder or a Model Openness Tool"
            + " card.",
        "Of a folder only what its files bear out counts; every hash is verified, and the exit code"
            + " is 1 if a file is missing or differs."
      },
      mixinStandardHelpOptions = true)
  static final class Check implements Callable<Integer> {
    @Parameters(paramLabel = "DIR or CARD.yml", description = "the release folder or the card")
    private Path path = Path.of("card.yml");

    @Option(names = "--json", description = "print JSON")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      boolean genuine = true;
      ReleaseReport printed;
      if (Files.isDirectory(path)) {
        ReleaseCheck.Report report = ReleaseCheck.check(path, TerminalProgress.onStandardError());
        genuine = report.genuine();
        printed = ReleaseReport.of(report);
      } else {
        printed = ReleaseReport.of(OpennessEvaluation.of(OpennessCardFile.read(path)));
      }
      PrintWriter to = spec.commandLine().getOut();
      if (json) {
        to.println(printed.toJson());
      } else {
        printed.print(to);
      }
      to.flush();
      return genuine ? ExitCode.OK : ExitCode.SOFTWARE;
    }
  }
}
