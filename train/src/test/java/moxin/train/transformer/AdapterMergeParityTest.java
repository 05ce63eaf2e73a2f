package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.train.Batch;
import moxin.train.adapter.AdapterFile;
import moxin.train.adapter.AdapterMerge;
import moxin.train.adapter.AdapterMerge.Direction;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Merged models against models with their adapter beside them.
@Seeded
class AdapterMergeParityTest {
  private static final AdapterSettings SETTINGS =
      new AdapterSettings(5, 10, EnumSet.allOf(AdapterTarget.class));

  @TempDir private Path directory = Path.of("");

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @Test
  void aMergedModelHasTheLossOfTheAdaptedOneAndUnmergingRestoresIt(Random random)
      throws IOException {
    Path model = SharedData.require("reference/stories260K-hf");
    ModelConfig config = ModelConfigFile.read(model);
    int[] ids = random.ints(3 * 40, 0, config.vocabSize()).toArray();
    int[] targets = random.ints(3 * 40, 0, config.vocabSize()).toArray();
    Batch batch = new Batch(3, 40, ids, targets, new int[ids.length]);
    LearnerOptions options = new LearnerOptions(DType.F32, Device.CPU, 2, ActivationMemory.KEEP);
    AdapterFile.write(directory, factors(random, config));
    try (SafetensorsCheckpoint base = SafetensorsCheckpoint.open(model);
        SafetensorsCheckpoint adapter = AdapterFile.open(directory, SETTINGS, config);
        AdapterLearner adapted =
            AdapterLearner.create(
                config, base, SETTINGS, FrozenWeights.PLAIN, options, 1, Progress.silent());
        TorchLearner full = TorchLearner.create(config, options, Progress.silent())) {
      full.loadWeights(base);
      double before = full.evaluate(batch);
      adapted.loadWeights(adapter);
      double expected = adapted.evaluate(batch);
      assertThat(Math.abs(expected - before)).isGreaterThan(1e-2 * before);

      Path merged = merge(config, base, adapter, DType.F32, Direction.MERGE);
      assertThat(ModelConfigFile.read(merged)).isEqualTo(config);
      try (SafetensorsCheckpoint sum = SafetensorsCheckpoint.open(merged)) {
        full.loadWeights(sum);
        assertThat(full.evaluate(batch)).isCloseTo(expected, within(1e-5 * expected));
        Path restored = merge(config, sum, adapter, DType.F32, Direction.UNMERGE);
        try (SafetensorsCheckpoint difference = SafetensorsCheckpoint.open(restored)) {
          for (String name : WeightNames.shapes(config).keySet()) {
            assertRestored(base.tensor(name), sum.tensor(name), difference.tensor(name));
          }
        }
      }
      try (SafetensorsCheckpoint narrow =
          SafetensorsCheckpoint.open(merge(config, base, adapter, DType.BF16, Direction.MERGE))) {
        assertThat(narrow.tensor(WeightNames.EMBEDDING).dtype()).isEqualTo(DType.BF16);
        full.loadWeights(narrow);
        assertThat(full.evaluate(batch)).isCloseTo(expected, within(1e-2 * expected));
      }
    }
  }

  @Test
  void adaptersThatDoNotFitAreNamed(Random random) throws IOException {
    ModelConfig config = ModelConfigFile.read(SharedData.require("reference/stories260K-hf"));
    List<TensorView> good = factors(random, config);
    assertRefused(
        config, good.subList(1, good.size()), "no tensor base_model.model.model.layers.0");
    List<TensorView> further = new ArrayList<>(good);
    further.add(view("base_model.model.lm_head.lora_A.weight", List.of(1L, 1L), new float[1]));
    assertRefused(config, further, "lm_head.lora_A.weight is none of the factors");
    List<TensorView> other = new ArrayList<>(good);
    other.set(0, view(good.getFirst().name(), List.of(1L, 2L), new float[2]));
    assertRefused(config, other, "F32[1, 2], model and adapter_config.json ask for");
    float[] values = Precision.widen(good.getFirst());
    values[3] = Float.NaN;
    other.set(0, view(good.getFirst().name(), good.getFirst().shape(), values));
    AdapterFile.write(directory, other);
    try (SafetensorsCheckpoint base =
            SafetensorsCheckpoint.open(SharedData.require("reference/stories260K-hf"));
        SafetensorsCheckpoint adapter = AdapterFile.open(directory, SETTINGS, config)) {
      assertThatThrownBy(() -> merge(config, base, adapter, DType.F32, Direction.MERGE))
          .isInstanceOf(CheckpointFormatException.class)
          .hasMessageContaining("not finite: NaN");
    }
  }

  private void assertRefused(ModelConfig config, List<TensorView> factors, String message)
      throws IOException {
    AdapterFile.write(directory, factors);
    assertThatThrownBy(() -> AdapterFile.open(directory, SETTINGS, config).close())
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining(message);
  }

  private Path merge(
      ModelConfig config, Checkpoint base, Checkpoint adapter, DType type, Direction direction)
      throws IOException {
    Path target = Files.createDirectory(directory.resolve(direction + "-" + type));
    new AdapterMerge(config, base, adapter, SETTINGS)
        .toDirectory(target, type, direction, Progress.silent());
    return target;
  }

  private static void assertRestored(TensorView base, TensorView sum, TensorView found) {
    float[] expected = Precision.widen(base);
    float[] merged = Precision.widen(sum);
    float[] restored = Precision.widen(found);
    for (int i = 0; i < expected.length; i++) {
      double rounding = Math.ulp(expected[i]) + Math.ulp(merged[i]);
      assertThat((double) restored[i]).isCloseTo(expected[i], within(rounding));
    }
  }

  private static List<TensorView> factors(Random random, ModelConfig config) {
    List<TensorView> views = new ArrayList<>();
    for (Map.Entry<String, List<Long>> entry : SETTINGS.shapes(config).entrySet()) {
      List<Long> shape = entry.getValue();
      float[] values = new float[Math.toIntExact(shape.getFirst() * shape.getLast())];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian(0, 0.2);
      }
      views.add(view(entry.getKey(), shape, values));
    }
    return views;
  }

  private static TensorView view(String name, List<Long> shape, float[] values) {
    return new TensorView(name, DType.F32, shape, MemorySegment.ofArray(values));
  }
}
