package moxin.train.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;
import moxin.train.AdaptingLearner;
import moxin.train.adapter.AdapterFile;
import moxin.train.adapter.AdapterMerge;
import moxin.train.adapter.PeftConfig;
import moxin.train.recipe.Adapter;
import moxin.train.recipe.Phase;
import moxin.train.recipe.TrainingRecipe;

/// What is different where a run trains an adapter: the model comes from the initial checkpoint
/// each time, and checkpoints hold the adapter in PEFT's layout.
final class AdapterRun {

  private AdapterRun() {}

  /// The learner of a run, with what `found` holds.
  static AdaptingLearner learner(
      TrainingJob job,
      TrainingRecipe recipe,
      Adapter adapter,
      Inputs inputs,
      Optional<CheckpointStore.Found> found,
      DType computeType,
      Progress progress)
      throws IOException {
    Path base =
        Inputs.checkpoint(recipe.initialisation())
            .orElseThrow(() -> new BadInputException("an adapter needs initialisation.checkpoint"));
    AdaptingLearner learner;
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(base)) {
      learner =
          job.learners()
              .adapt(inputs.config(), computeType, job.recipe().seed(), adapter.plan(), weights);
    }
    try {
      int rows = recipe.phases().stream().mapToInt(Phase::batchSize).max().orElseThrow();
      int length = recipe.phases().stream().mapToInt(Phase::contextLength).max().orElseThrow();
      progress.note("Trains an adapter in about " + learner.memory(rows, length));
      if (found.isPresent()) {
        load(learner, found.get().path());
      }
      return learner;
    } catch (IOException | RuntimeException | Error e) {
      learner.close();
      throw e;
    }
  }

  /// Replaces what `learner` trains, and its optimizer's state, by those of `checkpoint`.
  static void load(AdaptingLearner learner, Path checkpoint) throws IOException {
    try (SafetensorsCheckpoint factors =
        AdapterFile.open(checkpoint, learner.adapter(), learner.config())) {
      learner.loadWeights(factors);
    }
    try (SafetensorsCheckpoint optimizer = CheckpointStore.openOptimizer(checkpoint)) {
      learner.loadOptimizerState(optimizer);
    }
  }

  /// The weights of `base` with the adapter as it is now added, in `type`, in memory of `arena`.
  static List<TensorView> merged(
      AdaptingLearner learner, Checkpoint base, DType type, Arena arena) {
    Checkpoint adapter = MemoryCheckpoint.of("the adapter in training", learner.weights());
    return new AdapterMerge(learner.config(), base, adapter, learner.adapter())
        .toMemory(type, arena);
  }

  /// Writes adapter and optimizer's state into a checkpoint's directory.
  ///
  /// @param recipe resolved
  static void write(AdaptingLearner learner, JsonNode recipe, Path directory) throws IOException {
    AdapterFile.write(directory, learner.weights());
    String base = recipe.at("/training/initialisation/checkpoint").asText();
    double dropout = recipe.at("/training/adapter/dropout").asDouble();
    new PeftConfig(learner.adapter(), Optional.of(base), dropout).write(directory);
    SafetensorsWriter.write(
        directory.resolve(CheckpointStore.OPTIMIZER),
        learner.optimizerState(),
        Map.of("format", "pt"));
  }
}
