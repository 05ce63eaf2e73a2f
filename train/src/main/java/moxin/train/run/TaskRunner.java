package moxin.train.run;

import java.io.IOException;
import java.util.List;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.train.recipe.TaskEvaluation;

/// Asks the tasks of a recipe of a model in training.
@FunctionalInterface
public interface TaskRunner {

  /// The scores of each task, in the recipe's order.
  ///
  /// @param weights under their Hugging Face names, valid during the call
  List<TaskScores> run(ModelConfig config, List<TensorView> weights, TaskEvaluation tasks)
      throws IOException;
}
