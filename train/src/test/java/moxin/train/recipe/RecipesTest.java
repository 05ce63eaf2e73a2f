package moxin.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import moxin.job.RecipeFile;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelRecipe;
import moxin.testing.SharedData;
import moxin.train.estimate.Machine;
import moxin.train.estimate.Placement;
import moxin.train.estimate.RunEstimate;
import moxin.train.run.PhaseLengths;
import org.junit.jupiter.api.Test;

/// The recipes that are shipped can be read, and say what they claim.
final class RecipesTest {
  private static final Path RECIPES = SharedData.projectRoot().resolve("recipes");

  @Test
  void everyRecipeResolves() throws Exception {
    List<Path> files;
    try (Stream<Path> all = Files.list(RECIPES)) {
      files = all.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
    assertThat(files).isNotEmpty();
    for (Path file : files) {
      RecipeFile recipe = RecipeFile.read(file);
      recipe.section("model", ModelRecipe.class);
      if (recipe.tree().has("training")) {
        TrainingRecipe training = TrainingRecipe.of(recipe);
        RecipeFile resolved =
            RecipeFile.parse("resolved", recipe.with("training", training).toYaml());
        assertThat(TrainingRecipe.of(resolved)).as(file.toString()).isEqualTo(training);
      }
    }
  }

  @Test
  void moxin7bIsTheReportsModel() {
    RecipeFile recipe = RecipeFile.read(RECIPES.resolve("moxin-7b.yaml"));
    ModelConfig config =
        recipe
            .requiredSection("model", ModelRecipe.class)
            .config(32000, OptionalInt.of(1), OptionalInt.of(2));
    assertThat(config.parameterCount()).isEqualTo(8_114_180_096L);
    TrainingRecipe training = TrainingRecipe.of(recipe);
    assertThat(training.phases().stream().map(Phase::contextLength))
        .containsExactly(2048, 4096, 4096);
    assertThat(training.phases().stream().map(Phase::tokensPerStep)).containsOnly(1L << 22);
    assertThat(
            training.phases().stream()
                .mapToLong(phase -> phase.tokens() == null ? 0 : phase.tokens())
                .sum())
        .isEqualTo(2_000_000_000_000L);
  }

  @Test
  void theReferenceDecaysEveryMatrixAndClipsAtOne() {
    TrainingRecipe training =
        TrainingRecipe.of(RecipeFile.read(RECIPES.resolve("reference-10-steps.yaml")));
    assertThat(training.optimizer().adamW())
        .isEqualTo(new moxin.train.AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 1.0));
    assertThat(training.phases().getFirst().windowStride()).isEqualTo(65);
    assertThat(training.checkpoints().due(1)).isTrue();
    assertThat(training.checkpoints().due(5)).isFalse();
    assertThat(training.checkpoints().due(10)).isTrue();
  }

  @Test
  void moxin7bFitsOnEightDevicesOf139GiBAndIsRefusedOnOne() throws Exception {
    RecipeFile recipe = RecipeFile.read(RECIPES.resolve("moxin-7b.yaml"));
    TrainingRecipe training = TrainingRecipe.of(recipe);
    ModelConfig config =
        recipe
            .requiredSection("model", ModelRecipe.class)
            .config(0, OptionalInt.empty(), OptionalInt.empty());
    PhaseLengths lengths = PhaseLengths.of(training, Map.of(), recipe.seed());
    Machine h200 = new Machine(139.0 * (1 << 30), 989e12, 0.5, 3.0);
    Placement one = Placement.onGpu(DType.BF16, training.memory().activations());

    RunEstimate eight = RunEstimate.of(config, lengths.phases(), one.withDevices(8, 1), h200);
    assertThat(eight.parameters()).isEqualTo(8_114_180_096L);
    assertThat(eight.refusal()).isEmpty();
    // Phases are whole steps of 4 Mi tokens.
    assertThat(eight.tokens()).isBetween(2_000_000_000_000L, 2_000_000_000_000L + 3 * (1 << 22));
    double flops = 1.6e12 * 52_308_959_232.0 + 0.4e12 * 55_932_837_888.0;
    assertThat(eight.flops()).isCloseTo(flops, withinPercentage(0.01));
    assertThat(eight.deviceHours())
        .isCloseTo(flops / (989e12 * 0.5) / 3600, withinPercentage(0.01));

    assertThat(RunEstimate.of(config, lengths.phases(), one, h200).refusal())
        .get()
        .asString()
        .contains("phase context-2k needs", "it fits with ")
        .contains("training.optimizer.states: int8");
  }
}
