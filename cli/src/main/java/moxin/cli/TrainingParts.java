package moxin.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.SamplingOptions;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.torch.Device;
import moxin.train.AdaptingLearner;
import moxin.train.Learner;
import moxin.train.LearnerFactory;
import moxin.train.OptimizerPlace;
import moxin.train.adapter.FrozenWeights;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.recipe.Validation;
import moxin.train.run.SampleGenerator;
import moxin.train.run.TaskRunner;
import moxin.train.transformer.ActivationMemory;
import moxin.train.transformer.AdapterLearner;
import moxin.train.transformer.LearnerOptions;
import moxin.train.transformer.TorchLearner;
import moxin.train.transformer.UpdateOptions;
import moxin.train.transformer.WeightInitializer;

/// What training takes from other modules: learners on libtorch, samples from the CPU engine.
final class TrainingParts {

  private TrainingParts() {}

  /// Learners on the CPU with all its processors, with the memory that `recipe` asks for.
  static LearnerFactory onCpu(RecipeFile recipe, Progress progress) {
    return on(Device.CPU, recipe, progress);
  }

  /// Learners on `device`, with the memory that `recipe` asks for. On quantised models activations
  /// are computed again, since memory is what those are for.
  static LearnerFactory on(Device device, RecipeFile recipe, Progress progress) {
    return new Learners(device, TrainingRecipe.of(recipe), progress);
  }

  private record Learners(Device device, TrainingRecipe recipe, Progress progress)
      implements LearnerFactory {

    private LearnerOptions options(DType computeType, long seed, ActivationMemory memory) {
      if (device.isHost() && recipe.memory().offload() == OptimizerPlace.HOST) {
        progress.note("memory.offload changes nothing on a CPU, whose memory is the host's");
      }
      OptimizerPlace place = device.isHost() ? OptimizerPlace.DEVICE : recipe.memory().offload();
      return new LearnerOptions(
          computeType,
          device,
          Runtime.getRuntime().availableProcessors(),
          memory,
          updates(recipe, place).withSeed(seed),
          zLoss(recipe));
    }

    @Override
    public Learner create(ModelConfig config, DType computeType, long seed) {
      LearnerOptions options = options(computeType, seed, activationMemory(recipe));
      try {
        TorchLearner learner = TorchLearner.create(config, options, progress);
        learner.initialize(new WeightInitializer(seed, WeightInitializer.OutputScale.BY_DEPTH));
        return learner;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public AdaptingLearner adapt(
        ModelConfig config, DType computeType, long seed, AdapterPlan plan, Checkpoint base) {
      ActivationMemory memory =
          plan.weights() == FrozenWeights.PLAIN
              ? activationMemory(recipe)
              : ActivationMemory.RECOMPUTE;
      LearnerOptions options = options(computeType, seed, memory);
      try {
        return AdapterLearner.create(config, base, plan, options, seed, progress);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /// What `recipe` keeps of a forward pass.
  static ActivationMemory activationMemory(TrainingRecipe recipe) {
    return switch (recipe.memory().activations()) {
      case KEEP -> ActivationMemory.KEEP;
      case SELECTIVE -> ActivationMemory.SELECTIVE;
      case RECOMPUTE -> ActivationMemory.RECOMPUTE;
    };
  }

  /// What the optimizer of `recipe` works on.
  static UpdateOptions updates(TrainingRecipe recipe, OptimizerPlace place) {
    return new UpdateOptions(
        recipe.optimizer().states(), recipe.optimizer().masterWeights(), place, 0);
  }

  /// The weight of log² Z in the loss of `recipe`.
  static double zLoss(TrainingRecipe recipe) {
    return recipe.zLoss() == null ? 0 : recipe.zLoss();
  }

  /// What asks the evaluation tasks of `recipe`, where it has such and the vocabulary is known.
  ///
  /// @param corpus where the recipe names none
  static Optional<TaskRunner> tasks(RecipeFile recipe, Optional<Path> tokenizer, Path corpus)
      throws IOException {
    TrainingRecipe training = TrainingRecipe.of(recipe);
    Validation evaluation = training.evaluation();
    if (evaluation == null || evaluation.tasks() == null) {
      return Optional.empty();
    }
    Optional<Path> vocabulary = vocabulary(training, tokenizer);
    return vocabulary.isEmpty()
        ? Optional.empty()
        : Optional.of(EvaluationTasks.whileTraining(evaluation.tasks(), vocabulary.get(), corpus));
  }

  /// The tokenizer named, or that of the initial checkpoint.
  static Optional<Path> vocabulary(TrainingRecipe recipe, Optional<Path> tokenizer) {
    return tokenizer.or(
        () -> Optional.ofNullable(recipe.initialisation().checkpoint()).map(Path::of));
  }

  /// Samples by the CPU engine with the vocabulary of `tokenizer`.
  static SampleGenerator samples(Path tokenizer) {
    return (config, weights, samples) -> {
      Tokenizer vocabulary = Tokenizers.load(tokenizer);
      List<String> texts = new ArrayList<>();
      try (CpuModel model =
          CpuModel.of(
              config,
              MemoryCheckpoint.of("weights in training", weights),
              EngineOptions.defaults())) {
        Generator generator = new Generator(model, vocabulary);
        for (String prompt : samples.prompts()) {
          GenerationOptions options =
              new GenerationOptions(
                  SamplingOptions.of(samples.temperature(), 1), samples.maxNewTokens(), List.of());
          texts.add(generator.generate(prompt, options).text());
        }
      }
      return texts;
    };
  }
}
