package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.torch.LibTorch;
import moxin.train.Batch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Gradients against central differences of the loss, weight by weight, on a trained model. The
/// derivative along a direction `d` is `(4·D(h/2) − D(h)) / 3` with `D(h) = (f(w + h·d) − f(w −
/// h·d)) / 2h`, exact up to h⁴.
@Seeded
class FiniteDifferencesTest {
  private static final int LENGTH = 32;

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @Test
  void float64GradientsAndTheLearnersAreTheSlopesOfTheFloat64Loss(Random random)
      throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    ModelConfig config = ModelConfigFile.read(directory);
    Batch batch = batch(config, random);
    try (SafetensorsCheckpoint start = SafetensorsCheckpoint.open(directory);
        TorchLearner learner = learner(config, start)) {
      ReferenceTransformer reference = new ReferenceTransformer(config, start);
      reference.accumulate(batch, 1);
      learner.accumulate(batch, 1);
      for (String name : WeightNames.shapes(config).keySet()) {
        double[] weight = reference.weight(name);
        double[] original = weight.clone();
        double[] direction = unit(random, weight.length);
        double slope =
            slope(
                1e-3,
                h -> {
                  move(weight, original, direction, h);
                  return reference.loss(batch);
                });
        System.arraycopy(original, 0, weight, 0, weight.length);
        double[] expected = reference.gradient(name);
        double length = Math.sqrt(dot(expected, expected));
        assertThat(dot(expected, direction))
            .as("float64, " + name)
            .isCloseTo(slope, within(1e-7 * length));
        assertThat(dot(widen(learner.gradient(name)), direction))
            .as("fp32, " + name)
            .isCloseTo(slope, within(1e-5 * length));
      }
    }
  }

  @Test
  void theLearnersGradientIsTheSlopeOfItsOwnLoss(Random random) throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    ModelConfig config = ModelConfigFile.read(directory);
    Batch batch = batch(config, random);
    try (SafetensorsCheckpoint start = SafetensorsCheckpoint.open(directory);
        TorchLearner learner = learner(config, start)) {
      Map<String, float[]> weights = new LinkedHashMap<>();
      for (String name : WeightNames.shapes(config).keySet()) {
        weights.put(name, Precision.widen(start.tensor(name)));
      }
      learner.accumulate(batch, 1);
      for (Map.Entry<String, float[]> entry : weights.entrySet()) {
        double[] gradient = widen(learner.gradient(entry.getKey()));
        double length = Math.sqrt(dot(gradient, gradient));
        double[] direction = gradient.clone();
        for (int i = 0; i < direction.length; i++) {
          direction[i] /= length;
        }
        double[] original = widen(entry.getValue());
        double[] moved = original.clone();
        double slope =
            slope(
                0.01,
                h -> {
                  move(moved, original, direction, h);
                  entry.setValue(narrow(moved));
                  learner.loadWeights(MemoryCheckpoint.of("moved", views(config, weights)));
                  return learner.evaluate(batch);
                });
        entry.setValue(narrow(original));
        assertThat(length).as(entry.getKey()).isCloseTo(slope, within(1e-3 * length));
      }
    }
  }

  private static double slope(double h, DoubleUnaryOperator f) {
    double wide = (f.applyAsDouble(h) - f.applyAsDouble(-h)) / (2 * h);
    double near = (f.applyAsDouble(h / 2) - f.applyAsDouble(-h / 2)) / h;
    return (4 * near - wide) / 3;
  }

  private static void move(double[] weight, double[] from, double[] direction, double h) {
    for (int i = 0; i < weight.length; i++) {
      weight[i] = from[i] + h * direction[i];
    }
  }

  private static double[] unit(Random random, int count) {
    double[] direction = random.doubles(count, -1, 1).toArray();
    double length = Math.sqrt(dot(direction, direction));
    for (int i = 0; i < count; i++) {
      direction[i] /= length;
    }
    return direction;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static double[] widen(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  private static List<TensorView> views(ModelConfig config, Map<String, float[]> weights) {
    List<TensorView> views = new ArrayList<>();
    Map<String, List<Long>> shapes = WeightNames.shapes(config);
    weights.forEach(
        (name, values) ->
            views.add(
                new TensorView(
                    name,
                    DType.F32,
                    shapes.getOrDefault(name, List.of()),
                    MemorySegment.ofArray(values))));
    return views;
  }

  private static TorchLearner learner(ModelConfig config, SafetensorsCheckpoint start) {
    TorchLearner learner =
        LearnerParityTest.learner(config, new VectorKernels(), DType.F32, ActivationMemory.KEEP);
    learner.loadWeights(start);
    return learner;
  }

  private static Batch batch(ModelConfig config, Random random) {
    int[] ids = random.ints(LENGTH, 0, config.vocabSize()).toArray();
    int[] targets = random.ints(LENGTH, 0, config.vocabSize()).toArray();
    return new Batch(1, LENGTH, ids, targets, new int[LENGTH]);
  }
}
