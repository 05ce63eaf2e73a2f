package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Adapters on a trained model whose matrices are in 4 bits, beside the same on its own matrices.
@Seeded
class QuantisedAdapterParityTest {
  private static final int STEPS = 30;
  private static final int ROWS = 4;
  private static final int LENGTH = 64;
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0, false, false, 1);

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @ParameterizedTest
  @EnumSource(
      value = FrozenWeights.class,
      names = {"NF4", "Q4_0"})
  void lossesStayNearThoseOfThePlainBase(FrozenWeights weights, Random random) throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    ModelConfig config = ModelConfigFile.read(directory);
    // Ids in ascending runs: nothing that the model knows, and learnable by an adapter.
    int[] ids = new int[ROWS * LENGTH];
    int[] targets = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = i % LENGTH == 0 ? random.nextInt(3, config.vocabSize()) : targets[i - 1];
      targets[i] = ids[i] + 1 == config.vocabSize() ? 3 : ids[i] + 1;
    }
    Batch batch = new Batch(ROWS, LENGTH, ids, targets, new int[ids.length]);

    List<Double> plain = losses(directory, config, FrozenWeights.PLAIN, batch);
    List<Double> quantised = losses(directory, config, weights, batch);

    assertThat(plain.getLast()).isLessThan(0.6 * plain.getFirst());
    for (int step = 0; step <= STEPS; step++) {
      double difference = Math.abs(quantised.get(step) - plain.get(step));
      assertThat(difference / plain.get(step)).as("step " + step).isLessThan(0.1);
    }
  }

  private static List<Double> losses(
      Path directory, ModelConfig config, FrozenWeights weights, Batch batch) throws IOException {
    LearnerOptions options = new LearnerOptions(DType.F32, Device.CPU, 2, ActivationMemory.KEEP);
    AdapterSettings settings = new AdapterSettings(8, 16, EnumSet.allOf(AdapterTarget.class));
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(directory);
        AdapterLearner learner =
            AdapterLearner.create(
                config, checkpoint, settings, weights, options, 1, Progress.silent())) {
      double scale = 1.0 / batch.targetCount();
      List<Double> losses = new ArrayList<>();
      for (int step = 0; step < STEPS; step++) {
        losses.add(learner.accumulate(batch, scale) * scale);
        learner.step(ADAM_W, 3e-3);
      }
      losses.add(learner.evaluate(batch) * scale);
      return losses;
    }
  }
}
