package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moxin.job.Progress;
import moxin.train.export.PrometheusFile;
import moxin.train.recipe.StallAction;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.report.LiveReport;
import moxin.train.run.Stall;
import moxin.train.run.Training;
import moxin.train.run.TrainingJob;
import moxin.train.run.TrainingObserver;
import moxin.train.run.TrainingStoppedException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// Runs training with its report and exports kept up to date, and such that SIGTERM and Ctrl-C save
/// and end it, with one line that says how to go on.
final class StoppableTraining {

  private StoppableTraining() {}

  /// Trains, prints the last checkpoint, and returns the exit code: 0, or 143 and 130 after SIGTERM
  /// and Ctrl-C.
  ///
  /// @param processes those of the run, any of which may receive the signal
  static int run(
      TrainingJob job,
      Training.Start start,
      Processes processes,
      Progress progress,
      CommandSpec spec)
      throws IOException, InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    try (StopSignals _ = StopSignals.listen(processes.signal());
        Watchers watchers = Watchers.of(job, progress)) {
      try {
        TrainingObserver observer = watchers.observer();
        PrintWriter out = spec.commandLine().getOut();
        out.println(Training.run(job, start, observer, progress, processes.stop()).checkpoint());
        out.flush();
        return CommandLine.ExitCode.OK;
      } catch (TrainingStoppedException e) {
        err.println("moxin: " + e.getMessage() + "; go on with: " + resumption(spec));
        err.flush();
        return StopSignals.exitCode(processes.signal());
      }
    }
  }

  /// What looks on while a run runs.
  private record Watchers(LiveReport report, Optional<PrometheusFile> prometheus)
      implements AutoCloseable {

    static Watchers of(TrainingJob job, Progress progress) {
      String prometheus = TrainingRecipe.of(job.recipe()).monitoring().prometheus();
      return new Watchers(
          new LiveReport(job.run().root(), progress),
          Optional.ofNullable(prometheus)
              .map(file -> new PrometheusFile(Path.of(file), job.recipe().name())));
    }

    TrainingObserver observer() {
      List<TrainingObserver> all = new ArrayList<>();
      all.add(report);
      prometheus.ifPresent(all::add);
      all.add(
          new TrainingObserver() {
            @Override
            public void onStall(Stall stall) {
              if (stall.action() == StallAction.ABORT) {
                // The training thread hangs, perhaps in native code: nothing else would end it.
                Runtime.getRuntime().halt(CommandLine.ExitCode.SOFTWARE);
              }
            }
          });
      return TrainingObserver.all(all);
    }

    @Override
    public void close() {
      report.close();
      prometheus.ifPresent(PrometheusFile::close);
    }
  }

  /// The command that goes on.
  private static String resumption(CommandSpec spec) {
    List<String> arguments = spec.commandLine().getParseResult().originalArgs();
    String line =
        "moxin " + String.join(" ", arguments.stream().map(StoppableTraining::quoted).toList());
    return arguments.contains("--resume") ? line : line + " --resume";
  }

  private static String quoted(String argument) {
    return argument.matches("[A-Za-z0-9_@%+=:,./-]+")
        ? argument
        : "'" + argument.replace("'", "'\\''") + "'";
  }
}
