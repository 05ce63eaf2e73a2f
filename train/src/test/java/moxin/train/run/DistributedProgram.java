package moxin.train.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import moxin.collective.Communicator;
import moxin.collective.Communicators;
import moxin.collective.Traffic;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.ModelConfig;
import moxin.train.JobSignal;
import moxin.train.LearnerFactory;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.run.Training.Start;
import moxin.train.transformer.ActivationMemory;
import moxin.train.transformer.DistributedLearners;
import moxin.train.transformer.WeightInitializer.OutputScale;

/// What each process of [DistributedTrainingIT] runs: recipes, each in a directory of its own.
///
/// Arguments: the directory of the shard `train.npy`, the step at which to wait to be killed or 0,
/// `FRESH` or `RESUME`, and pairs of a recipe and a run directory.
final class DistributedProgram {

  private DistributedProgram() {}

  public static void main(String[] arguments) throws Exception {
    Communicator communicator = Communicators.join(System.getenv());
    try {
      if (communicator.rank() == 0) {
        lead(communicator, List.of(arguments));
      } else {
        Path directory = Path.of(arguments[0]);
        Path pid = directory.resolve("pid-" + communicator.rank());
        Files.writeString(pid, Long.toString(ProcessHandle.current().pid()));
        for (int i = 3; i < arguments.length; i += 2) {
          DistributedLearners.follow(communicator, 1, new JobSignal(), Progress.silent());
        }
      }
      communicator.close();
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      e.printStackTrace();
      communicator.abort(1);
    }
  }

  private static void lead(Communicator communicator, List<String> arguments) throws Exception {
    Path directory = Path.of(arguments.getFirst());
    long waitAt = Long.parseLong(arguments.get(1));
    Start start = Start.valueOf(arguments.get(2));
    for (int i = 3; i < arguments.size(); i += 2) {
      RecipeFile recipe = RecipeFile.read(Path.of(arguments.get(i)));
      DistributedLearners learners =
          new DistributedLearners(
              communicator,
              new DistributedLearners.Settings(
                  TrainingRecipe.of(recipe).parallel().stage(),
                  ActivationMemory.KEEP,
                  OutputScale.BY_DEPTH,
                  1),
              new JobSignal(),
              Progress.silent());
      Path run = Path.of(arguments.get(i + 1));
      Traffic before = communicator.traffic();
      Training.run(
          job(recipe, directory, run, learners),
          start,
          waiting(waitAt, directory),
          Progress.silent());
      DistributedLearners.finish(communicator, 0);
      Traffic traffic = communicator.traffic().since(before);
      System.out.println(run.getFileName() + ": " + traffic);
    }
  }

  private static TrainingObserver waiting(long waitAt, Path directory) {
    return new TrainingObserver() {
      @Override
      public void onStep(StepMetrics metrics) {
        if (metrics.step() == waitAt) {
          try {
            Files.writeString(directory.resolve("waits"), "");
            Thread.sleep(100_000);
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        }
      }
    };
  }

  static TrainingJob job(RecipeFile recipe, Path directory, Path run, LearnerFactory learners) {
    ModelConfig config =
        new ModelConfig(
            "mistral",
            TestRuns.VOCAB,
            64,
            96,
            2,
            4,
            2,
            16,
            1e-5,
            10000,
            OptionalInt.empty(),
            64,
            true,
            1,
            2,
            0.02);
    return new TrainingJob(
        recipe,
        new RunDirectory(run),
        Optional.of(config),
        learners,
        Map.of("train", directory.resolve("train.npy")),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        OptionalDouble.empty());
  }
}
