package moxin.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class RecipeOverrideTest {
  private static final RecipeFile RECIPE =
      RecipeFile.parse(
          "test.yaml", "training:\n  phases:\n    - steps: 5\n    - steps: 6\n  precision: fp32\n");

  @Test
  void replacesAddsAndReachesIntoLists() {
    RecipeFile changed =
        RECIPE.withOverrides(
            List.of(
                "training.phases.1.steps=100",
                "training.precision=bf16",
                "evaluation.tasks=[a, b]",
                "seed=7"));

    assertThat(changed.tree().at("/training/phases/0/steps").asInt()).isEqualTo(5);
    assertThat(changed.tree().at("/training/phases/1/steps").asInt()).isEqualTo(100);
    assertThat(changed.tree().at("/training/precision").asText()).isEqualTo("bf16");
    assertThat(changed.tree().at("/evaluation/tasks/1").asText()).isEqualTo("b");
    assertThat(changed.seed()).isEqualTo(7);
    assertThat(RECIPE.tree().at("/training/phases/1/steps").asInt()).isEqualTo(6);
  }

  @Test
  void refusesWhatHasNoPlace() {
    for (String wrong :
        List.of(
            "training.precision.x=1",
            "training.phases.2.steps=1",
            "trainin.x=1",
            "=1",
            "seed",
            "seed=[")) {
      assertThatThrownBy(() -> RECIPE.withOverrides(List.of(wrong)))
          .as(wrong)
          .isInstanceOf(RecipeException.class);
    }
  }
}
