package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import moxin.job.AtomicFile;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.DType;
import moxin.model.SafetensorsCheckpoint;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.train.Learner;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Precision;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.recipe.Validation;

/// Runs the training section of a recipe: all phases, from the beginning or from the newest
/// complete checkpoint.
public final class Training {

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
  /// @throws NonFiniteLossException if the loss is not finite and the recipe says stop
  /// @throws InterruptedException if the thread is interrupted; nothing half-written stays
  public static TrainingResult run(
      TrainingJob job, Start start, TrainingObserver observer, Progress progress)
      throws IOException, InterruptedException {
    TrainingRecipe recipe = TrainingRecipe.of(job.recipe());
    RecipeFile resolved = job.recipe().with("training", recipe);
    CheckpointStore store = new CheckpointStore(job.run().checkpoints());
    if (start == Start.FRESH && !store.all().isEmpty()) {
      throw new BadInputException(
          job.run().root()
              + " has checkpoints already; go on with --resume, or choose another directory");
    }
    Inputs inputs = Inputs.find(job, recipe);
    Plan plan = Plan.of(job, recipe, inputs.config().vocabSize());
    var identity = RunIdentity.of(recipe, inputs.config(), job.recipe().seed(), inputs.entries());
    store.sweep();
    Optional<CheckpointStore.Found> found = store.newest(progress);
    found.ifPresent(checkpoint -> requireSame(checkpoint, identity));
    AtomicFile.write(job.run().recipe(), resolved.toYaml());

    RunRecord.Header header = new RunRecord.Header(inputs, resolved.tree(), identity);
    long lastStep = found.map(checkpoint -> checkpoint.state().step()).orElse(0L);
    try (Learner learner = learner(job, recipe, inputs, found, progress);
        RunRecord record = RunRecord.open(job.run(), store, header, lastStep);
        Evaluation evaluation = evaluation(job, recipe, inputs)) {
      Trainer trainer =
          new Trainer(job, plan, learner, record, evaluation.evaluator(), observer, progress);
      return trainer.run(found);
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
      Optional<Path> weights =
          found
              .map(CheckpointStore.Found::path)
              .or(() -> Inputs.checkpoint(recipe.initialisation()));
      if (weights.isPresent()) {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(weights.get())) {
          learner.loadWeights(checkpoint);
        }
      }
      if (found.isPresent()) {
        try (SafetensorsCheckpoint checkpoint = CheckpointStore.openOptimizer(found.get().path())) {
          learner.loadOptimizerState(checkpoint);
        }
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
    if (validation == null) {
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
