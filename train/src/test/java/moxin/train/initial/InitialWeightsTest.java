package moxin.train.initial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Random;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.ModelRecipe;
import moxin.model.Precision;
import moxin.model.WeightNames.LayerWeight;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.recipe.Initialisation;
import moxin.train.recipe.InitialisationKind;
import moxin.train.transformer.LearnerOptions;
import moxin.train.transformer.TorchLearner;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Depth extension of a trained model of 5 layers.
@Seeded
final class InitialWeightsTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, false, false, 1);

  @ParameterizedTest
  @CsvSource(
      value = {
        "F32|6|",
        "F32|7|",
        "F32|10|",
        "BF16|8|",
        "F32|9|0-1,0-2,2-4,4",
        "F32|7|0,0,0,1-4",
      },
      delimiter = '|')
  void identityBlocksBeginAtExactlyTheLossOfTheShallowerModel(
      DType type, int layers, @Nullable String order, Random random) throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    ModelConfig shallow = ModelConfigFile.read(directory);
    assertThat(shallow.numHiddenLayers()).isEqualTo(5);
    Batch batch = batch(shallow, random);
    double expected;
    try (TorchLearner learner = learner(shallow, type)) {
      InitialWeights.load(
          initialisation(InitialisationKind.CHECKPOINT, directory, null),
          directory,
          learner,
          Progress.silent());
      expected = learner.evaluate(batch);
    }
    try (TorchLearner learner = learner(deep(shallow, layers), type)) {
      InitialWeights.load(
          initialisation(InitialisationKind.IDENTITY_BLOCKS, directory, order),
          directory,
          learner,
          Progress.silent());
      assertThat(learner.evaluate(batch)).isEqualTo(expected);
      // And the new blocks learn: their zero projections have gradients.
      learner.accumulate(batch, 1.0 / batch.targetCount());
      LayerOrder used =
          order == null ? LayerOrder.evenlySpread(5, layers) : LayerOrder.parse(order, 5, layers);
      for (int layer = 0; layer < layers; layer++) {
        float[] gradient = learner.gradient(LayerWeight.DOWN.name(layer));
        assertThat(used.repeats(layer)).isEqualTo(isZero(learner, layer));
        assertThat(allZero(gradient)).as("gradient of layer %d", layer).isFalse();
      }
      learner.step(ADAM_W, 1e-3);
      assertThat(learner.evaluate(batch)).isLessThan(expected);
    }
  }

  @Test
  void duplicatedLayersAreThoseOfTheCheckpoint() throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    ModelConfig shallow = ModelConfigFile.read(directory);
    try (TorchLearner learner = learner(deep(shallow, 8), DType.F32);
        TorchLearner source = learner(shallow, DType.F32)) {
      InitialWeights.load(
          initialisation(InitialisationKind.CHECKPOINT, directory, null),
          directory,
          source,
          Progress.silent());
      InitialWeights.load(
          initialisation(InitialisationKind.DUPLICATE_LAYERS, directory, null),
          directory,
          learner,
          Progress.silent());
      int[] from = {0, 1, 2, 3, 1, 2, 3, 4};
      for (int layer = 0; layer < 8; layer++) {
        for (LayerWeight weight : LayerWeight.values()) {
          assertThat(values(learner, weight.name(layer)))
              .as(weight.name(layer))
              .isEqualTo(values(source, weight.name(from[layer])));
        }
      }
    }
  }

  @Test
  void aCheckpointOfAnotherShapeIsRefused() throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    ModelConfig shallow = ModelConfigFile.read(directory);
    try (TorchLearner learner = learner(shallow, DType.F32)) {
      assertThatThrownBy(
              () ->
                  InitialWeights.load(
                      initialisation(InitialisationKind.IDENTITY_BLOCKS, directory, null),
                      directory,
                      learner,
                      Progress.silent()))
          .isInstanceOf(BadInputException.class)
          .hasMessageContaining("the checkpoint has 5 layers, the model only 5");
    }
    try (TorchLearner learner = learner(ModelConfig.quickstart(), DType.F32)) {
      assertThatThrownBy(
              () ->
                  InitialWeights.load(
                      initialisation(InitialisationKind.DUPLICATE_LAYERS, directory, null),
                      directory,
                      learner,
                      Progress.silent()))
          .isInstanceOf(BadInputException.class)
          .hasMessageContaining("another shape than the recipe's model");
    }
  }

  private static boolean isZero(TorchLearner learner, int layer) {
    return allZero(values(learner, LayerWeight.ATTENTION_OUTPUT.name(layer)))
        && allZero(values(learner, LayerWeight.DOWN.name(layer)));
  }

  private static boolean allZero(float[] values) {
    return Arrays.equals(values, new float[values.length]);
  }

  private static float[] values(TorchLearner learner, String name) {
    return Precision.widen(MemoryCheckpoint.of("learner", learner.weights()).tensor(name));
  }

  private static Initialisation initialisation(
      InitialisationKind kind, Path checkpoint, @Nullable String layers) {
    return new Initialisation(kind, null, checkpoint.toString(), layers);
  }

  private static TorchLearner learner(ModelConfig config, DType type) throws IOException {
    return TorchLearner.create(config, LearnerOptions.onCpu(type), Progress.silent());
  }

  /// The same model with `layers` layers.
  private static ModelConfig deep(ModelConfig shallow, int layers) {
    ModelRecipe same = ModelRecipe.of(shallow);
    return new ModelRecipe(
            null,
            same.vocabSize(),
            same.hiddenSize(),
            same.intermediateSize(),
            layers,
            same.numAttentionHeads(),
            same.numKeyValueHeads(),
            same.headDim(),
            same.rmsNormEps(),
            same.ropeTheta(),
            same.slidingWindow(),
            same.maxPositionEmbeddings(),
            same.tieWordEmbeddings(),
            same.bosTokenId(),
            same.eosTokenId(),
            same.initializerRange())
        .config(shallow.vocabSize(), OptionalInt.empty(), OptionalInt.empty());
  }

  private static Batch batch(ModelConfig config, Random random) {
    int rows = 3;
    int length = 33;
    int[] ids = random.ints((long) rows * (length + 1), 0, config.vocabSize()).toArray();
    int[] inputs = new int[rows * length];
    int[] targets = new int[rows * length];
    for (int row = 0; row < rows; row++) {
      System.arraycopy(ids, row * (length + 1), inputs, row * length, length);
      System.arraycopy(ids, row * (length + 1) + 1, targets, row * length, length);
    }
    return new Batch(rows, length, inputs, targets, new int[rows * length]);
  }
}
