package moxin.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.OptionalInt;
import moxin.job.RecipeException;
import moxin.job.RecipeFile;
import org.junit.jupiter.api.Test;

final class ModelRecipeTest {

  @Test
  void presetIsItsModel() {
    assertThat(config("model: {preset: moxin-7b}", 32000)).isEqualTo(ModelConfig.moxin7b());
    assertThat(config("model: {preset: quickstart}", 4096)).isEqualTo(ModelConfig.quickstart());
  }

  @Test
  void singleSizesDifferFromThePreset() {
    ModelConfig config =
        config("model: {preset: moxin-7b, numHiddenLayers: 2, slidingWindow: 0}", 512);
    assertThat(config.vocabSize()).isEqualTo(512);
    assertThat(config.numHiddenLayers()).isEqualTo(2);
    assertThat(config.slidingWindow()).isEmpty();
    assertThat(config.hiddenSize()).isEqualTo(4096);
  }

  @Test
  void shapeNeedsNoPreset() {
    ModelConfig config =
        config(
            """
            model:
              hiddenSize: 128
              intermediateSize: 512
              numHiddenLayers: 4
              numAttentionHeads: 4
            """,
            65);
    assertThat(config.numKeyValueHeads()).isEqualTo(4);
    assertThat(config.headDim()).isEqualTo(32);
    assertThat(config.slidingWindow()).isEmpty();
    assertThat(config.bosTokenId()).hasValue(1);
    assertThat(config.eosTokenIds()).isEqualTo(List.of(2));
  }

  @Test
  void resolvedRecipeGivesTheSameModelAgain() {
    for (ModelConfig config : List.of(ModelConfig.moxin7b(), ModelConfig.quickstart())) {
      String yaml = RecipeFile.parse("r", "name: r").with("model", ModelRecipe.of(config)).toYaml();
      assertThat(config(yaml, 7)).isEqualTo(config);
    }
  }

  @Test
  void wrongRecipesAreNamed() {
    assertThatThrownBy(() -> config("model: {preset: moxin-8b}", 65))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("moxin-8b");
    assertThatThrownBy(() -> config("model: {hiddenSize: 128}", 65))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("intermediateSize is missing");
    assertThatThrownBy(() -> config("model: {preset: moxin-7b, hidenSize: 1}", 65))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("did you mean hiddenSize?");
  }

  private static ModelConfig config(String yaml, int vocabSize) {
    return RecipeFile.parse("recipe.yaml", yaml)
        .requiredSection("model", ModelRecipe.class)
        .config(vocabSize, OptionalInt.of(1), OptionalInt.of(2));
  }
}
