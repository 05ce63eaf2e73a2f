package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import moxin.collective.Communicator;
import moxin.collective.Communicators;
import moxin.collective.LaunchEnvironment;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.train.LearnerFactory;
import moxin.train.OptimizerPlace;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.transformer.DistributedLearners;
import moxin.train.transformer.WeightInitializer.OutputScale;
import picocli.CommandLine;

/// The processes that a launcher started this command in. Process 0 runs it, prints and writes; the
/// others take part in its learners and say nothing, unless they fail.
final class Processes {
  private final Communicator communicator;
  private final int processors;

  private Processes(Communicator communicator, int processors) {
    this.communicator = communicator;
    this.processors = processors;
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
    Processes processes = new Processes(communicator, Math.max(1, available / launch.localSize()));
    if (communicator.size() == 1) {
      return command.run(processes);
    }
    try {
      int code = CommandLine.ExitCode.OK;
      if (communicator.rank() == 0) {
        code = command.run(processes);
        DistributedLearners.finish(communicator);
      } else {
        DistributedLearners.follow(communicator, processes.processors, Progress.silent());
      }
      communicator.close();
      return code;
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      String who = communicator.rank() == 0 ? "" : "process " + communicator.rank() + ": ";
      err.println("moxin: " + who + Failures.describe(e));
      err.flush();
      communicator.abort(Failures.exitCode(e));
      throw e;
    }
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
        progress);
  }
}
