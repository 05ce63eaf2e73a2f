package moxin.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moxin.job.RecipeException;
import moxin.job.RecipeFile;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrainingRecipeTest {
  private static final String MINIMAL =
      """
      training:
        learningRate: 1e-3
        phases: [{steps: 5, contextLength: 8, batchSize: 2, sources: [{path: data/a.npy}]}]
      """;

  @Test
  void whatIsNotGivenIsTheReports() {
    TrainingRecipe recipe = TrainingRecipe.of(RecipeFile.parse("r.yaml", MINIMAL));

    assertThat(recipe.optimizer().adamW())
        .isEqualTo(new moxin.train.AdamW(0.9, 0.95, 1e-8, 0.1, false, false, 1.0));
    assertThat(recipe.precision()).isEqualTo(Precision.FP32);
    assertThat(recipe.peakOf(recipe.phases().getFirst())).isEqualTo(1e-3);
    assertThat(recipe.phases().getFirst().packing()).isEqualTo(Packing.DOCUMENTS);
    assertThat(recipe.onNonFiniteLoss()).isEqualTo(NonFiniteLoss.STOP);
  }

  @Test
  void pathsAreMeantAgainstTheRecipeAndTheResolvedRecipeReadsBack(@TempDir Path directory)
      throws Exception {
    Path file = directory.resolve("r.yaml");
    Files.writeString(file, MINIMAL);
    RecipeFile read = RecipeFile.read(file);
    TrainingRecipe recipe = TrainingRecipe.of(read);
    String path = recipe.phases().getFirst().sources().getFirst().path();
    assertThat(path).isEqualTo(directory.resolve("data/a.npy").toAbsolutePath().toString());

    RecipeFile resolved = RecipeFile.parse("x.yaml", read.with("training", recipe).toYaml());
    assertThat(TrainingRecipe.of(resolved)).isEqualTo(recipe);
  }

  @Test
  void mistakesAreNamed() {
    for (var wrong :
        List.of(
            List.of("steps: 5", "stepz: 5", "did you mean steps"),
            List.of("steps: 5", "steps: 5, tokens: 3", "exactly one of"),
            List.of("steps: 5", "steps: 0", "at least 1"),
            List.of("batchSize: 2, ", "", "batchSize"),
            List.of("learningRate: 1e-3", "precision: fp32", "learningRate"),
            List.of("learningRate: 1e-3", "learningRate: -1", "positive"),
            List.of("learningRate: 1e-3", "learningRate: 1\n  precision: fp8", "fp32"),
            List.of("{path: data/a.npy}", "{weight: 1}", "a name or a path"),
            List.of("steps: 5", "steps: 5, schedule: {decayFraction: 0.1}", "stable-decay"),
            List.of("steps: 5", "steps: 5, schedule: {kind: wsd, decayShape: step}", "one-minus"),
            List.of("steps: 5", "steps: 5, schedule: {kind: wsd, decayFraction: 2}", "[0.0, 1.0]"),
            List.of("learningRate: 1e-3", "learningRate: 1\n  memory: {activations: x}", "keep"),
            List.of("learningRate: 1e-3", "learningRate: 1\n  zLoss: 1", "[0.0, 0.1]"),
            List.of("learningRate: 1e-3", "learningRate: 1\n  optimizer: {states: fp8}", "int8"),
            List.of(
                "learningRate: 1e-3",
                "learningRate: 1\n  optimizer: {masterWeights: none}",
                "needs precision: bf16"),
            List.of("learningRate: 1e-3", "learningRate: 1\n  memory: {offload: all}", "optimizer"),
            List.of("steps: 5", "steps: 5, rowStride: 9", "contiguous"))) {
      String yaml = MINIMAL.replace(wrong.get(0), wrong.get(1));
      assertThatThrownBy(() -> TrainingRecipe.of(RecipeFile.parse("r.yaml", yaml)))
          .as(yaml)
          .isInstanceOf(RecipeException.class)
          .hasMessageContaining(wrong.get(2))
          .message()
          .doesNotContain("\n");
    }
  }

  @Test
  void adaptersAreChecked() {
    String given =
        MINIMAL + "  initialisation: {checkpoint: base}\n  adapter: {kind: qlora, rank: 4}\n";
    TrainingRecipe recipe = TrainingRecipe.of(RecipeFile.parse("r.yaml", given));
    assertThat(recipe.adapter())
        .isEqualTo(
            new Adapter(
                Adapter.Kind.QLORA,
                4,
                8.0,
                List.of(AdapterTarget.values()),
                FrozenWeights.NF4,
                null));
    for (var wrong :
        List.of(
            List.of("kind: qlora, ", "", "needs a kind"),
            List.of("kind: qlora", "kind: dora", "lora"),
            List.of("rank: 4", "rank: 0", "rank must be in"),
            List.of("rank: 4", "alpha: 0", "alpha must be positive"),
            List.of("rank: 4", "dropout: 1", "dropout must be in [0, 1)"),
            List.of("rank: 4", "base: plain", "base is plain for lora"),
            List.of("qlora, rank: 4", "lora, base: nf4", "base is plain for lora"),
            List.of("rank: 4", "targets: []", "each named once"),
            List.of("rank: 4", "targets: [q_proj, q_proj]", "each named once"),
            List.of("rank: 4", "targets: [lm_head]", "q_proj"),
            List.of("{checkpoint: base}", "{seed: 3}", "initialisation.checkpoint"))) {
      String text = given.replace(wrong.get(0), wrong.get(1));
      assertThat(text).isNotEqualTo(given);
      assertThatThrownBy(() -> TrainingRecipe.of(RecipeFile.parse("r.yaml", text)))
          .as(wrong.get(1))
          .isInstanceOf(RecipeException.class)
          .hasMessageContaining(wrong.get(2));
    }
  }
}
