package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moxin.job.Progress;
import moxin.train.JobSignal;
import moxin.train.export.MlflowRun;
import moxin.train.export.PrometheusFile;
import moxin.train.export.RunEnd;
import moxin.train.recipe.Mlflow;
import moxin.train.recipe.Monitoring;
import moxin.train.recipe.StallAction;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.report.LiveReport;
import moxin.train.run.Stall;
import moxin.train.run.StopRequest;
import moxin.train.run.Training;
import moxin.train.run.TrainingJob;
import moxin.train.run.TrainingObserver;
import moxin.train.run.TrainingResult;
import moxin.train.run.TrainingStoppedException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/// Runs training with its report and exports kept up to date, and such that SIGTERM and Ctrl-C save
/// and end it, with one line that says how to go on.
final class StoppableTraining {
  /// What is said to be done about the first signal.
  static final String ANSWER = "finishes the step and saves";

  private final CommandSpec spec;
  private final Progress progress;
  private final JobSignal signal;
  private final StopRequest stop;

  private StoppableTraining(
      CommandSpec spec, Progress progress, JobSignal signal, StopRequest stop) {
    this.spec = spec;
    this.progress = progress;
    this.signal = signal;
    this.stop = stop;
  }

  /// Training in this process alone.
  ///
  /// @param spec of the command that trains
  static StoppableTraining alone(CommandSpec spec, Progress progress) {
    StopRequest stop = new StopRequest();
    PrintWriter err = spec.commandLine().getErr();
    JobSignal signal = StopSignals.answered(err, ANSWER, stop::request);
    return new StoppableTraining(spec, progress, signal, stop);
  }

  /// Training by `processes`, any of which may receive the signal.
  ///
  /// @param spec of the command that trains
  static StoppableTraining by(Processes processes, CommandSpec spec, Progress progress) {
    return new StoppableTraining(spec, progress, processes.signal(), processes.stop());
  }

  /// How a stopped run goes on.
  enum Resumption {
    /// By the command that began it.
    SAME_COMMAND,
    /// By that command with `--resume`.
    RESUME_OPTION
  }

  /// Trains.
  ///
  /// @throws TrainingStoppedException after SIGTERM or Ctrl-C, for [#stopped]
  TrainingResult run(TrainingJob job, Training.Start start)
      throws IOException, InterruptedException {
    try (StopSignals _ = StopSignals.listen(signal);
        Watchers watchers = Watchers.of(job, progress)) {
      try {
        TrainingResult result = Training.run(job, start, watchers.observer(), progress, stop);
        watchers.ended(RunEnd.FINISHED);
        return result;
      } catch (TrainingStoppedException e) {
        watchers.ended(RunEnd.KILLED);
        throw e;
      }
    }
  }

  /// Says how to go on, and returns the exit code: 143 or 130, by the signal.
  int stopped(TrainingStoppedException e, Resumption how) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("moxin: " + e.getMessage() + "; go on with: " + resumption(how));
    err.flush();
    return StopSignals.exitCode(signal);
  }

  /// What looks on while a run runs.
  private record Watchers(
      LiveReport report, Optional<PrometheusFile> prometheus, Optional<MlflowRun> mlflow)
      implements AutoCloseable {

    static Watchers of(TrainingJob job, Progress progress) {
      Monitoring monitoring = TrainingRecipe.of(job.recipe()).monitoring();
      return new Watchers(
          new LiveReport(job.run().root(), progress),
          Optional.ofNullable(monitoring.prometheus())
              .map(file -> new PrometheusFile(Path.of(file), job.recipe().name())),
          Optional.ofNullable(monitoring.mlflow())
              .map(server -> new MlflowRun(settings(server, job), progress)));
    }

    private static MlflowRun.Settings settings(Mlflow server, TrainingJob job) {
      return new MlflowRun.Settings(
          server, MlflowRun.authorization(System.getenv()), job.recipe(), job.run().root());
    }

    void ended(RunEnd how) {
      mlflow.ifPresent(run -> run.ended(how));
    }

    TrainingObserver observer() {
      List<TrainingObserver> all = new ArrayList<>();
      all.add(report);
      prometheus.ifPresent(all::add);
      mlflow.ifPresent(all::add);
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
      mlflow.ifPresent(MlflowRun::close);
    }
  }

  /// The command that goes on.
  private String resumption(Resumption how) {
    List<String> arguments =
        spec.commandLine().getParseResult().originalArgs().stream()
            .map(StoppableTraining::quoted)
            .toList();
    String line = "moxin " + String.join(" ", arguments);
    boolean complete = how == Resumption.SAME_COMMAND || arguments.contains("--resume");
    return complete ? line : line + " --resume";
  }

  private static String quoted(String argument) {
    return argument.matches("[A-Za-z0-9_@%+=:,./-]+")
        ? argument
        : "'" + argument.replace("'", "'\\''") + "'";
  }
}
