package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.job.AtomicFile;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.DType;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.train.Learner;
import moxin.train.initial.InitialWeights;
import moxin.train.loader.RowSequence;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Precision;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.recipe.Validation;

/// Runs the training section of a recipe: all phases, from the beginning or from the newest
/// complete checkpoint.
public final class Training {
  private static final Duration ROOM_PAUSE = Duration.ofSeconds(15);

  private Training() {}

  /// Where a run begins.
  public enum Start {
    /// From the first step, in a directory without checkpoints.
    FRESH,
    /// After the newest complete checkpoint, or from the first step if there is none.
    RESUME
  }

  /// Trains until the last phase ends.
  ///
  /// A run that was killed and resumed ends with the same weights and losses as one that was not.
  ///
  /// @throws BadInputException if recipe, shards or checkpoint do not fit
  /// @throws UnstableTrainingException if the loss is not finite, or spikes, and the recipe says
  ///   stop or the same happens again and again
  /// @throws InterruptedException if the thread is interrupted; nothing half-written stays
  public static TrainingResult run(
      TrainingJob job, Start start, TrainingObserver observer, Progress progress)
      throws IOException, InterruptedException {
    return run(job, start, observer, progress, new StopRequest());
  }

  /// Trains until the last phase ends or `stop` asks to stop.
  ///
  /// @throws TrainingStoppedException if it was asked to stop; a checkpoint of the last step is
  ///   written
  public static TrainingResult run(
      TrainingJob job, Start start, TrainingObserver observer, Progress progress, StopRequest stop)
      throws IOException, InterruptedException {
    TrainingRecipe recipe = InitialWeights.resolve(TrainingRecipe.of(job.recipe()), job.model());
    RecipeFile resolved = job.recipe().with("training", recipe);
    CheckpointStore store = new CheckpointStore(job.run().checkpoints());
    if (start == Start.FRESH && !store.all().isEmpty()) {
      throw new BadInputException(
          job.run().root()
              + " has checkpoints already; go on with --resume, or choose another directory");
    }
    requireTasks(job, recipe);
    Inputs inputs = Inputs.find(job, recipe);
    Plan plan = Plan.of(job, recipe, inputs.config().vocabSize());
    plan.notes().forEach(progress::note);
    var identity = RunIdentity.of(recipe, inputs.config(), job.recipe().seed(), inputs.entries());
    store.sweep();
    Optional<CheckpointStore.Found> found = store.newest(progress);
    found.ifPresent(checkpoint -> requireSame(checkpoint, identity));
    writeRecipe(job, recipe);

    RunRecord.Header header = new RunRecord.Header(inputs, resolved.tree(), identity);
    long lastStep = found.map(checkpoint -> checkpoint.state().step()).orElse(0L);
    try (Learner learner = learner(job, recipe, inputs, found, progress);
        RunRecord record =
            RunRecord.open(
                job.run(),
                store,
                new FullDisk(recipe.checkpoints().onFullDisk(), ROOM_PAUSE, progress),
                header,
                lastStep,
                found.map(checkpoint -> checkpoint.state().incidents()).orElse(0));
        CheckpointWriter checkpoints =
            new CheckpointWriter(
                new Retention(store, recipe.checkpoints(), plan.ends()).after(record::save),
                recipe.checkpoints().writing());
        Evaluation evaluation = evaluation(job, recipe, inputs);
        Watchdog watchdog =
            new Watchdog(
                recipe.monitoring().stall(),
                job.run().root(),
                progress,
                observer::onStall,
                System::nanoTime)) {
      Surroundings around =
          new Surroundings(job, observer, progress, stop, RowSequence::documentIds);
      Optional<Evaluator> evaluator = evaluation.evaluator();
      return new Trainer(around, plan, learner, record, checkpoints, evaluator, watchdog)
          .run(found);
    }
  }

  /// Writes the resolved recipe such that it says where the shards lie, seen from the run.
  private static void writeRecipe(TrainingJob job, TrainingRecipe recipe) throws IOException {
    Path root = job.run().root().toAbsolutePath().normalize();
    Map<String, String> shards = new HashMap<>();
    job.sources()
        .forEach(
            (name, path) -> {
              Path place = path.toAbsolutePath().normalize();
              boolean near = java.util.Objects.equals(root.getRoot(), place.getRoot());
              shards.put(name, (near ? root.relativize(place) : place).toString());
            });
    AtomicFile.write(
        job.run().recipe(), job.recipe().with("training", recipe.withShards(shards)).toYaml());
  }

  private static void requireTasks(TrainingJob job, TrainingRecipe recipe) {
    Validation validation = recipe.evaluation();
    if (validation != null && validation.tasks() != null && job.tasks().isEmpty()) {
      throw new BadInputException(
          "evaluation.tasks needs a tokenizer to ask questions with; name it with --tokenizer");
    }
  }

  private static void requireSame(
      CheckpointStore.Found found, com.fasterxml.jackson.databind.JsonNode identity) {
    RunIdentity.difference(found.state().identity(), identity)
        .ifPresent(
            difference -> {
              throw new BadInputException(
                  found.path()
                      + ": made by another recipe ("
                      + difference
                      + "); restore it, or choose another directory");
            });
  }

  private static Learner learner(
      TrainingJob job,
      TrainingRecipe recipe,
      Inputs inputs,
      Optional<CheckpointStore.Found> found,
      Progress progress)
      throws IOException {
    DType computeType = recipe.precision() == Precision.BF16 ? DType.BF16 : DType.F32;
    if (recipe.adapter() != null) {
      return AdapterRun.learner(
          job, recipe, recipe.adapter(), inputs, found, computeType, progress);
    }
    Long ownSeed = recipe.initialisation().seed();
    Learner learner =
        job.learners()
            .create(inputs.config(), computeType, ownSeed == null ? job.recipe().seed() : ownSeed);
    try {
      Optional<Path> initial = Inputs.checkpoint(recipe.initialisation());
      if (found.isPresent()) {
        StoredLearner.load(found.get().path(), learner);
      } else if (initial.isPresent()) {
        InitialWeights.load(recipe.initialisation(), initial.get(), learner, progress);
      }
      return learner;
    } catch (IOException | RuntimeException | Error e) {
      learner.close();
      throw e;
    }
  }

  private record Evaluation(Optional<Evaluator> evaluator) implements AutoCloseable {
    @Override
    public void close() {
      evaluator.ifPresent(Evaluator::close);
    }
  }

  private static Evaluation evaluation(TrainingJob job, TrainingRecipe recipe, Inputs inputs)
      throws IOException {
    Validation validation = recipe.evaluation();
    if (validation == null || validation.sources().isEmpty()) {
      return new Evaluation(Optional.empty());
    }
    Optional<Tokenizer> tokenizer = Optional.empty();
    for (Path file : inputs.tokenizerFiles()) {
      if (file.getFileName().toString().endsWith(".model")) {
        tokenizer = Optional.of(Tokenizers.load(file));
      }
    }
    List<TokenSource> sources = Inputs.open(job, validation.sources(), inputs.config().vocabSize());
    return new Evaluation(Optional.of(new Evaluator(validation, sources, tokenizer)));
  }
}
