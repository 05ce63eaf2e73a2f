package moxin.train.run;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import moxin.job.RecipeFile;
import moxin.model.ModelConfig;
import moxin.train.LearnerFactory;
import moxin.train.recipe.Source;

/// Everything a run needs from outside.
///
/// @param recipe the whole recipe; its section `training` is what runs
/// @param run where everything is written
/// @param model the shape; empty to take it from the initial checkpoint
/// @param learners makes the learner
/// @param sources the token shards behind the names that the recipe's sources use
/// @param tokenizer a tokenizer file or directory, copied into checkpoints; empty to take the
///   initial checkpoint's
/// @param generator writes the samples; empty for none
/// @param tasks asks the recipe's evaluation tasks; empty for none
/// @param peakFlops the machine's floating-point operations per second, for mfu
public record TrainingJob(
    RecipeFile recipe,
    RunDirectory run,
    Optional<ModelConfig> model,
    LearnerFactory learners,
    Map<String, Path> sources,
    Optional<Path> tokenizer,
    Optional<SampleGenerator> generator,
    Optional<TaskRunner> tasks,
    OptionalDouble peakFlops) {

  public TrainingJob {
    sources = Map.copyOf(sources);
  }

  Path locate(Source source) {
    return Inputs.locate(sources, source);
  }
}
