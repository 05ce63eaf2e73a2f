package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.Batch;
import moxin.train.LearnerFactory.AdapterPlan;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Dropout before adapters.
@Seeded
class AdapterDropoutTest {
  private static final double PROBABILITY = 0.3;
  private static final ModelConfig CONFIG =
      new ModelConfig(
          "mistral", 61, 48, 76, 2, 4, 2, 12, 1e-5, 10000, OptionalInt.of(9), 64, true, 1, 2, 0.3);
  private static final AdapterSettings SETTINGS =
      new AdapterSettings(5, 10, EnumSet.allOf(AdapterTarget.class));

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void asMuchIsDroppedAsAskedForAndTheRestMakesUpForIt(DType type) {
    int size = 100_003;
    try (Tensor ones = Tensor.zeros(type, Device.CPU, size)) {
      MemorySegment data = ones.data();
      float[] values = new float[size];
      java.util.Arrays.fill(values, 1);
      Precision.narrow(values, type, data);
      Dropout dropout = new Dropout(PROBABILITY, 7);
      try (Tensor dropped = dropout.drop(ones);
          Tensor again = dropout.drop(ones);
          Tensor other = dropout.of(1).drop(ones);
          Tensor sum = Tensor.zeros(type, Device.CPU, size)) {
        dropout.add(sum, ones);
        float[] left = dropped.toFloats();
        assertThat(again.toFloats()).isEqualTo(left);
        assertThat(sum.toFloats()).isEqualTo(left);
        assertThat(other.toFloats()).isNotEqualTo(left);
        int zeros = 0;
        double factor = type == DType.F32 ? 1e-4 : 4e-3;
        for (int i = 0; i < size; i++) {
          if (left[i] == 0) {
            zeros++;
          } else {
            assertThat((double) left[i]).isCloseTo(1 / (1 - PROBABILITY), within(factor));
          }
        }
        // Four standard deviations.
        double deviation = Math.sqrt(size * PROBABILITY * (1 - PROBABILITY));
        assertThat((double) zeros).isCloseTo(PROBABILITY * size, within(4 * deviation));
      }
    }
  }

  @Test
  void gradientsAreTheSlopesOfTheLossWithTheSameMask(Random random) {
    Batch batch = batch(random);
    double scale = 1.0 / batch.targetCount();
    try (MemoryCheckpoint base = base();
        AdapterLearner learner = learner(base, PROBABILITY, DType.F32, ActivationMemory.KEEP, 2)) {
      List<TensorView> start = factors(random);
      List<TensorView> direction = factors(random);
      learner.loadWeights(MemoryCheckpoint.of("start", start));
      double plain = learner.evaluate(batch) * scale;
      double dropped = learner.accumulate(batch, scale) * scale;
      assertThat(Math.abs(dropped - plain)).isGreaterThan(1e-3);
      double slope = 0;
      for (TensorView d : direction) {
        float[] gradient = learner.gradient(d.name());
        float[] along = Precision.widen(d);
        for (int i = 0; i < along.length; i++) {
          slope += (double) gradient[i] * along[i];
        }
      }
      learner.discardGradients();
      double step = 2e-3;
      double[] ends = new double[2];
      for (int i = 0; i < 2; i++) {
        learner.loadWeights(
            MemoryCheckpoint.of("moved", moved(start, direction, i == 0 ? -step : step)));
        ends[i] = learner.accumulate(batch, scale) * scale;
        learner.discardGradients();
      }
      double measured = (ends[1] - ends[0]) / (2 * step);
      assertThat(slope).isCloseTo(measured, within(2e-3 * Math.max(1, Math.abs(measured))));
    }
  }

  @Test
  void bitsDoNotDependOnThreadsOrRecomputationAndEveryBatchHasItsMask(Random random) {
    Batch batch = batch(random);
    for (DType type : List.of(DType.F32, DType.BF16)) {
      List<float[]> first = gradients(batch, type, ActivationMemory.KEEP, 1);
      assertThat(gradients(batch, type, ActivationMemory.RECOMPUTE, 3))
          .containsExactly(first.toArray(float[][]::new));
    }
    try (MemoryCheckpoint base = base();
        AdapterLearner learner = learner(base, PROBABILITY, DType.F32, ActivationMemory.KEEP, 2);
        AdapterLearner without = learner(base, 0, DType.F32, ActivationMemory.KEEP, 2)) {
      MemoryCheckpoint factors = MemoryCheckpoint.of("a", factors(new Random(3)));
      learner.loadWeights(factors);
      without.loadWeights(factors);
      double one = learner.accumulate(batch, 1);
      double two = learner.accumulate(batch, 1);
      assertThat(two).isNotEqualTo(one);
      learner.discardGradients();
      assertThat(learner.accumulate(batch, 1)).isEqualTo(one);
      assertThat(learner.evaluate(batch)).isEqualTo(without.evaluate(batch));
      assertThat(learner.memory(3, 33).total()).isGreaterThan(without.memory(3, 33).total());
    }
  }

  private static List<float[]> gradients(
      Batch batch, DType type, ActivationMemory memory, int threads) {
    try (MemoryCheckpoint base = base();
        AdapterLearner learner = learner(base, PROBABILITY, type, memory, threads)) {
      List<TensorView> factors = factors(new Random(3));
      learner.loadWeights(MemoryCheckpoint.of("a", factors));
      learner.accumulate(batch, 1.0 / batch.targetCount());
      return factors.stream().map(factor -> learner.gradient(factor.name())).toList();
    }
  }

  private static AdapterLearner learner(
      MemoryCheckpoint base, double dropout, DType type, ActivationMemory memory, int threads) {
    return AdapterLearner.create(
        CONFIG,
        base,
        new AdapterPlan(SETTINGS, FrozenWeights.PLAIN, dropout),
        new LearnerOptions(type, Device.CPU, 2, memory),
        1,
        new Execution(new VectorKernels(), 4, threads, 1));
  }

  private static Batch batch(Random random) {
    int size = 3 * 33;
    int[] ids = random.ints(size, 0, CONFIG.vocabSize()).toArray();
    int[] targets = random.ints(size, 0, CONFIG.vocabSize()).toArray();
    return new Batch(3, 33, ids, targets, new int[size]);
  }

  private static MemoryCheckpoint base() {
    WeightInitializer initializer = new WeightInitializer(3, WeightInitializer.OutputScale.SAME);
    List<TensorView> views = new ArrayList<>();
    WeightNames.shapes(CONFIG)
        .forEach((name, shape) -> views.add(view(name, shape, initializer.weights(CONFIG, name))));
    return MemoryCheckpoint.of("base", views);
  }

  private static List<TensorView> factors(Random random) {
    List<TensorView> views = new ArrayList<>();
    SETTINGS
        .shapes(CONFIG)
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) (shape.getFirst() * shape.getLast())];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.1 * random.nextGaussian());
              }
              views.add(view(name, shape, values));
            });
    return views;
  }

  private static List<TensorView> moved(
      List<TensorView> start, List<TensorView> direction, double step) {
    List<TensorView> views = new ArrayList<>();
    for (int t = 0; t < start.size(); t++) {
      float[] values = Precision.widen(start.get(t));
      float[] along = Precision.widen(direction.get(t));
      for (int i = 0; i < values.length; i++) {
        values[i] += (float) (step * along[i]);
      }
      views.add(view(start.get(t).name(), start.get(t).shape(), values));
    }
    return views;
  }

  private static TensorView view(String name, List<Long> shape, float[] values) {
    return new TensorView(name, DType.F32, shape, MemorySegment.ofArray(values));
  }
}
