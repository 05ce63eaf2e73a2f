package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import moxin.collective.CollectiveException;
import moxin.collective.Communicator;
import moxin.collective.Communicators;
import moxin.collective.LaunchEnvironment;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.train.JobSignal;
import moxin.train.LearnerFactory;
import moxin.train.OptimizerPlace;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.run.StopRequest;
import moxin.train.transformer.DistributedLearners;
import moxin.train.transformer.WeightInitializer.OutputScale;
import picocli.CommandLine;

/// The processes that a launcher started this command in. Process 0 runs it, prints and writes; the
/// others take part in its learners and say nothing, unless they fail. All end with the same exit
/// code. A signal to any of them stops all.
final class Processes {
  private final Communicator communicator;
  private final int processors;
  private final StopRequest stop = new StopRequest();
  private final JobSignal signal;

  private Processes(Communicator communicator, int processors, PrintWriter err) {
    this.communicator = communicator;
    this.processors = processors;
    this.signal =
        communicator.rank() == 0
            ? StopSignals.answered(err, StoppableTraining.ANSWER, stop::request)
            : new JobSignal();
  }

  /// What process 0 does.
  @FunctionalInterface
  interface Command {
    /// Returns the exit code.
    int run(Processes processes) throws IOException, InterruptedException;
  }

  /// Runs `command` on process 0 while the others help, and returns the exit code. A failure of any
  /// of them is one line on `err` and ends all.
  static int run(Command command, PrintWriter err) throws IOException, InterruptedException {
    LaunchEnvironment launch = LaunchEnvironment.of(System.getenv());
    Communicator communicator = Communicators.join(System.getenv());
    int available = Runtime.getRuntime().availableProcessors();
    int processors = Math.max(1, available / launch.localSize());
    Processes processes = new Processes(communicator, processors, err);
    if (communicator.size() == 1) {
      return command.run(processes);
    }
    try {
      int code;
      if (communicator.rank() == 0) {
        code = command.run(processes);
        DistributedLearners.finish(communicator, code);
      } else {
        code = processes.follow();
      }
      communicator.close();
      return code;
    } catch (CollectiveException e) {
      if (processes.signal.number() == 0) {
        report(e, communicator, err);
      }
      // Where a signal ended one process sooner than it could be told, the others end by it too.
      int code = StopSignals.exitCode(processes.signal);
      communicator.abort(code == CommandLine.ExitCode.OK ? Failures.exitCode(e) : code);
      throw e;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      report(e, communicator, err);
      communicator.abort(Failures.exitCode(e));
      throw e;
    }
  }

  private int follow() throws IOException {
    try (StopSignals _ = StopSignals.listen(signal)) {
      return DistributedLearners.follow(communicator, processors, signal, Progress.silent());
    }
  }

  private static void report(Throwable failure, Communicator communicator, PrintWriter err) {
    String who = communicator.rank() == 0 ? "" : "process " + communicator.rank() + ": ";
    err.println("moxin: " + who + Failures.describe(failure));
    err.flush();
  }

  /// What a run is to look at.
  StopRequest stop() {
    return stop;
  }

  /// A signal to any process; it asks [#stop].
  JobSignal signal() {
    return signal;
  }

  /// Learners of all processes as `recipe` divides them, or `alone` where there is one.
  LearnerFactory learners(RecipeFile recipe, LearnerFactory alone, Progress progress) {
    if (communicator.size() == 1) {
      return alone;
    }
    TrainingRecipe training = TrainingRecipe.of(recipe);
    return new DistributedLearners(
        communicator,
        new DistributedLearners.Settings(
            training.parallel().stage(),
            TrainingParts.activationMemory(training),
            OutputScale.BY_DEPTH,
            processors,
            TrainingParts.updates(training, OptimizerPlace.DEVICE),
            TrainingParts.zLoss(training)),
        signal,
        progress);
  }
}
