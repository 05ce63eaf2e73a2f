package moxin.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import moxin.train.report.RunComparison;
import moxin.train.report.RunReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin report`.
@Command(
    name = "report",
    description = {
      "Write the report of a run, report.html, or compare several in one page.",
      "Pages are single files that load nothing."
    },
    mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
  @Parameters(arity = "1..*", paramLabel = "RUN", description = "directories of runs")
  private List<Path> runs = List.of();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "the page that compares; comparison.html unless given")
  private Optional<Path> out = Optional.empty();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    if (runs.size() == 1 && out.isPresent()) {
      throw new ParameterException(
          spec.commandLine(), "--out is for several runs; one has its report in its directory");
    }
    Path page =
        runs.size() == 1
            ? RunReport.write(runs.getFirst())
            : RunComparison.write(runs, out.orElse(Path.of("comparison.html")));
    spec.commandLine().getOut().println(page);
    spec.commandLine().getOut().flush();
    return 0;
  }
}
