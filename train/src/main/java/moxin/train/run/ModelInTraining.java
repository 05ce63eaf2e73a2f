package moxin.train.run;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import moxin.job.BadInputException;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.train.AdaptingLearner;
import moxin.train.Learner;
import moxin.train.recipe.Precision;
import moxin.train.recipe.TrainingRecipe;

/// The whole model as it is now, for samples and tasks: the learner's weights, or, where an adapter
/// is trained, those of the initial checkpoint with the adapter added. The latter are made for each
/// use, in the type of the arithmetic and unquantised, and take that much host memory meanwhile.
final class ModelInTraining {
  private final TrainingRecipe recipe;
  private final Learner learner;

  ModelInTraining(TrainingRecipe recipe, Learner learner) {
    this.recipe = recipe;
    this.learner = learner;
  }

  /// What is done with the weights, which are valid meanwhile.
  @FunctionalInterface
  interface Use<T> {
    T of(ModelConfig config, List<TensorView> weights) throws IOException;
  }

  <T> T use(Use<T> use) throws IOException {
    if (!(learner instanceof AdaptingLearner adapting)) {
      return use.of(learner.config(), learner.weights());
    }
    Path base =
        Inputs.checkpoint(recipe.initialisation())
            .orElseThrow(() -> new BadInputException("an adapter needs initialisation.checkpoint"));
    DType type = recipe.precision() == Precision.BF16 ? DType.BF16 : DType.F32;
    try (Arena arena = Arena.ofShared();
        SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(base)) {
      return use.of(learner.config(), AdapterRun.merged(adapting, weights, type, arena));
    }
  }
}
