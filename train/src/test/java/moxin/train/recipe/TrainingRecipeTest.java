package moxin.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moxin.job.RecipeException;
import moxin.job.RecipeFile;
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
            List.of("{path: data/a.npy}", "{path: a, name: b}", "either a name or a path"),
            List.of("steps: 5", "steps: 5, schedule: {decayFraction: 0.1}", "stable-decay"),
            List.of("steps: 5", "steps: 5, schedule: {kind: wsd, decayShape: step}", "one-minus"),
            List.of("steps: 5", "steps: 5, schedule: {kind: wsd, decayFraction: 2}", "[0.0, 1.0]"),
            List.of("learningRate: 1e-3", "learningRate: 1\n  memory: {activations: x}", "keep"),
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
}
