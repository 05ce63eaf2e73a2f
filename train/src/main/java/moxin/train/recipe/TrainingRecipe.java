package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import moxin.job.RecipeFile;
import moxin.train.MasterWeights;
import org.jspecify.annotations.Nullable;

/// The section `training:` of a recipe.
///
/// @param initialisation the first weights; random unless given
/// @param precision fp32 unless given
/// @param optimizer AdamW's settings
/// @param learningRate the peak for phases that give none
/// @param schedule runs over all phases that have none of their own
/// @param phases in order
/// @param checkpoints when to write them
/// @param evaluation on held-out shards and by tasks; none unless given
/// @param samples texts on the way; none unless given
/// @param onNonFiniteLoss stop unless given
/// @param maxSkippedSteps how many steps in a row may be skipped; 10 unless given
/// @param memory what is kept and what is computed again; everything is kept unless given
/// @param parallel how several processes share the run
/// @param onSpike what a spike of loss or gradient norm is and what follows; none unless given
/// @param monitoring what watches the run
/// @param adapter trains an adapter on the initial checkpoint; none unless given
/// @param zLoss weight of log² Z, Z the sum of the exponentials of a position's logits, in the loss
///   that is learnt from, such as 1e-4; losses that are shown are without it; none unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record TrainingRecipe(
    Initialisation initialisation,
    Precision precision,
    Optimizer optimizer,
    @Nullable Double learningRate,
    @Nullable Schedule schedule,
    List<Phase> phases,
    Checkpoints checkpoints,
    @Nullable Validation evaluation,
    @Nullable Samples samples,
    NonFiniteLoss onNonFiniteLoss,
    Integer maxSkippedSteps,
    Memory memory,
    Parallelism parallel,
    @Nullable OnSpike onSpike,
    Monitoring monitoring,
    @Nullable Adapter adapter,
    @Nullable Double zLoss) {

  public TrainingRecipe(
      @Nullable Initialisation initialisation,
      @Nullable Precision precision,
      @Nullable Optimizer optimizer,
      @Nullable Double learningRate,
      @Nullable Schedule schedule,
      @Nullable List<Phase> phases,
      @Nullable Checkpoints checkpoints,
      @Nullable Validation evaluation,
      @Nullable Samples samples,
      @Nullable NonFiniteLoss onNonFiniteLoss,
      @Nullable Integer maxSkippedSteps,
      @Nullable Memory memory,
      @Nullable Parallelism parallel,
      @Nullable OnSpike onSpike,
      @Nullable Monitoring monitoring,
      @Nullable Adapter adapter,
      @Nullable Double zLoss) {
    this.initialisation = initialisation == null ? Initialisation.random() : initialisation;
    this.precision = precision == null ? Precision.FP32 : precision;
    this.optimizer = optimizer == null ? Optimizer.defaults() : optimizer;
    this.learningRate = learningRate;
    this.schedule = schedule;
    this.phases = phases == null ? List.of() : List.copyOf(phases);
    this.checkpoints = checkpoints == null ? Checkpoints.defaults() : checkpoints;
    this.evaluation = evaluation;
    this.samples = samples;
    this.onNonFiniteLoss = onNonFiniteLoss == null ? NonFiniteLoss.STOP : onNonFiniteLoss;
    this.maxSkippedSteps = maxSkippedSteps == null ? 10 : maxSkippedSteps;
    this.memory = memory == null ? Memory.defaults() : memory;
    this.parallel = parallel == null ? new Parallelism(null) : parallel;
    this.onSpike = onSpike;
    this.monitoring = monitoring == null ? Monitoring.defaults() : monitoring;
    this.adapter = adapter;
    this.zLoss = zLoss;
    validate();
  }

  /// The section of `recipe` with its paths resolved against the recipe's directory.
  ///
  /// @throws moxin.job.RecipeException if it is missing or does not fit
  public static TrainingRecipe of(RecipeFile recipe) {
    return recipe
        .requiredSection("training", TrainingRecipe.class)
        .resolvedAgainst(recipe.directory());
  }

  private void validate() {
    if (phases.isEmpty()) {
      throw new IllegalArgumentException("training needs phases");
    }
    if (learningRate != null) {
      Require.positive("learningRate", learningRate);
    }
    Require.atLeast("maxSkippedSteps", maxSkippedSteps, 0);
    Require.within("zLoss", zLoss == null ? 0 : zLoss, 0, 0.1);
    if (optimizer.masterWeights() == MasterWeights.NONE && precision != Precision.BF16) {
      throw new IllegalArgumentException("optimizer.masterWeights: none needs precision: bf16");
    }
    if (adapter != null && initialisation.checkpoint() == null) {
      throw new IllegalArgumentException("an adapter needs initialisation.checkpoint");
    }
    Set<String> names = new HashSet<>();
    for (Phase phase : phases) {
      if (!names.add(phase.name())) {
        throw new IllegalArgumentException("two phases are called " + phase.name());
      }
      if (phase.learningRate() == null && learningRate == null) {
        throw new IllegalArgumentException("phase " + phase.name() + " needs a learningRate");
      }
    }
  }

  /// The peak learning rate of `phase`.
  public double peakOf(Phase phase) {
    Double peak = phase.learningRate() == null ? learningRate : phase.learningRate();
    if (peak == null) {
      throw new IllegalStateException("validated when built");
    }
    return peak;
  }

  /// The same with other first weights.
  public TrainingRecipe withInitialisation(Initialisation other) {
    return new TrainingRecipe(
        other,
        precision,
        optimizer,
        learningRate,
        schedule,
        phases,
        checkpoints,
        evaluation,
        samples,
        onNonFiniteLoss,
        maxSkippedSteps,
        memory,
        parallel,
        onSpike,
        monitoring,
        adapter,
        zLoss);
  }

  /// The same with the path of `shards` for every source whose name it has and that has no path.
  public TrainingRecipe withShards(Map<String, String> shards) {
    return withSources(
        source -> {
          String place = shards.get(source.label());
          return place == null || source.path() != null ? source : source.withPath(place);
        },
        UnaryOperator.identity(),
        initialisation);
  }

  private TrainingRecipe resolvedAgainst(Path directory) {
    return withSources(
        source ->
            source.path() == null ? source : source.withPath(absolute(directory, source.path())),
        tasks -> tasks.data() == null ? tasks : tasks.withData(absolute(directory, tasks.data())),
        initialisation.checkpoint() == null
            ? initialisation
            : initialisation.withCheckpoint(absolute(directory, initialisation.checkpoint())));
  }

  private TrainingRecipe withSources(
      UnaryOperator<Source> found, UnaryOperator<TaskEvaluation> asked, Initialisation first) {
    Validation held = evaluation;
    return new TrainingRecipe(
        first,
        precision,
        optimizer,
        learningRate,
        schedule,
        phases.stream().map(phase -> with(all(phase.sources(), found), phase)).toList(),
        checkpoints,
        held == null
            ? null
            : held.with(
                all(held.sources(), found),
                held.tasks() == null ? null : asked.apply(held.tasks())),
        samples,
        onNonFiniteLoss,
        maxSkippedSteps,
        memory,
        parallel,
        onSpike,
        monitoring,
        adapter,
        zLoss);
  }

  private static List<Source> all(List<Source> sources, UnaryOperator<Source> found) {
    return sources.stream().map(found).toList();
  }

  private static Phase with(List<Source> sources, Phase phase) {
    return new Phase(
        phase.name(),
        phase.kind(),
        phase.steps(),
        phase.tokens(),
        phase.epochs(),
        phase.contextLength(),
        phase.batchSize(),
        phase.accumulationSteps(),
        phase.learningRate(),
        phase.schedule(),
        sources,
        phase.packing(),
        phase.rowStride(),
        phase.shuffle());
  }

  private static String absolute(Path directory, String path) {
    return directory.resolve(path).normalize().toString();
  }
}
