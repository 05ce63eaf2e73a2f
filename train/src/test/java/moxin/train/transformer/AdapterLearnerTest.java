package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterSettings.Factor;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Adapters against the float64 gradient of the weights that they add to.
@Seeded
class AdapterLearnerTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 1.0);
  private static final AdapterSettings ALL =
      new AdapterSettings(3, 6, EnumSet.allOf(AdapterTarget.class));

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  static Stream<Arguments> shapes() {
    Kernels vector = new VectorKernels();
    Kernels aten = new AtenKernels();
    return Stream.of(
        Arguments.of(vector, ALL, OptionalInt.of(8), 33),
        Arguments.of(vector, new AdapterSettings(1, 1, ALL.targets()), OptionalInt.empty(), 7),
        Arguments.of(vector, on(8, AdapterTarget.QUERY, AdapterTarget.VALUE), one(), 32),
        Arguments.of(vector, on(13, AdapterTarget.KEY, AdapterTarget.UP), one(), 13),
        Arguments.of(vector, on(7, AdapterTarget.DOWN), OptionalInt.empty(), 257),
        Arguments.of(aten, ALL, OptionalInt.of(8), 33),
        Arguments.of(aten, on(2, AdapterTarget.GATE, AdapterTarget.ATTENTION_OUTPUT), one(), 33));
  }

  private static OptionalInt one() {
    return OptionalInt.of(40);
  }

  private static AdapterSettings on(int rank, AdapterTarget first, AdapterTarget... others) {
    return new AdapterSettings(rank, 16, EnumSet.of(first, others));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void gradientsAndTheFirstStepAreThoseOfFloat64(
      Kernels kernels, AdapterSettings settings, OptionalInt window, int length) {
    Random random = new Random(11);
    ModelConfig config = config(window, true);
    Batch batch = batch(random, 3, length, config.vocabSize());
    try (MemoryCheckpoint base = base(config);
        AdapterLearner learner =
            learner(config, base, settings, DType.F32, execution(kernels, 2))) {
      learner.loadWeights(randomAdapter(random, config, settings));
      List<TensorView> factors = copies(learner.weights());
      ReferenceTransformer reference = new ReferenceTransformer(config, base);
      factors.forEach(factor -> addTo(reference, factor, factors, settings));
      double scale = 1.0 / batch.targetCount();

      double expected = reference.accumulate(batch, scale);
      double loss = learner.accumulate(batch, scale);

      assertThat(loss).isCloseTo(expected, within(1e-6 * expected));
      double squares = 0;
      for (TensorView factor : factors) {
        double[] gradient = expectedGradient(reference, factor, factors, settings);
        assertThat(LearnerParityTest.relativeError(learner.gradient(factor.name()), gradient))
            .as(factor.name())
            .isLessThan(1e-5);
        squares += Arrays.stream(gradient).map(g -> g * g).sum();
      }
      double norm = Math.sqrt(squares);
      assertThat(learner.gradientNorm()).isCloseTo(norm, within(1e-5 * norm));
      learner.step(ADAM_W, 1e-2);
      for (int i = 0; i < factors.size(); i++) {
        double[] gradient = expectedGradient(reference, factors.get(i), factors, settings);
        float[] stepped = Precision.widen(learner.weights().get(i));
        float[] before = Precision.widen(factors.get(i));
        for (int j = 0; j < stepped.length; j++) {
          double g = gradient[j] * Math.min(1, 1 / norm);
          double after = before[j] * (1 - 1e-2 * 0.1) - 1e-2 * g / (Math.abs(g) + 1e-8);
          // Where |g| is near ε the step magnifies the rounding of g.
          double margin = 2e-7 + 1e-2 * 1e-5 * norm / (Math.abs(g) + 1e-8);
          assertThat((double) stepped[j]).isCloseTo(after, within(Math.min(2e-2, margin)));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "BF16"})
  void aFreshAdapterHasExactlyTheLossOfItsBase(DType type) {
    Random random = new Random(3);
    ModelConfig config = config(OptionalInt.of(8), false);
    Batch batch = batch(random, 5, 33, config.vocabSize());
    LearnerOptions options = new LearnerOptions(type, Device.CPU, 2, ActivationMemory.KEEP);
    try (MemoryCheckpoint base = base(config);
        AdapterLearner learner =
            learner(config, base, ALL, type, execution(new VectorKernels(), 2));
        TorchLearner full = new TorchLearner(config, options, execution(new VectorKernels(), 2))) {
      full.loadWeights(base);
      double expected = full.evaluate(batch);
      assertThat(learner.evaluate(batch)).isEqualTo(expected);
      assertThat(learner.accumulate(batch, 1)).isEqualTo(expected);
      learner.step(ADAM_W, 1e-2);
      assertThat(learner.evaluate(batch)).isNotEqualTo(expected);
    }
  }

  @ParameterizedTest
  @EnumSource(FrozenWeights.class)
  void bitsDoNotDependOnThreadsOrRecomputation(FrozenWeights weights) {
    ModelConfig config = config(OptionalInt.empty(), true);
    Batch batch = batch(new Random(4), 6, 70, config.vocabSize());
    try (MemoryCheckpoint base = base(config)) {
      for (DType type : List.of(DType.F32, DType.BF16)) {
        float[] expected = null;
        for (Execution execution :
            List.of(
                new Execution(new VectorKernels(), 4, 1, 1),
                new Execution(new VectorKernels(), 4, 2, 1),
                new Execution(new VectorKernels(), 4, 3, 2))) {
          for (ActivationMemory memory : ActivationMemory.values()) {
            LearnerOptions options =
                new LearnerOptions(type, Device.CPU, execution.threads(), memory);
            try (AdapterLearner learner =
                AdapterLearner.create(config, base, ALL, weights, options, 1, execution)) {
              for (int step = 0; step < 3; step++) {
                learner.accumulate(batch, 1e-2);
                learner.step(ADAM_W, 1e-2);
              }
              float[] found = all(learner.weights());
              expected = expected == null ? found : expected;
              assertThat(found).as(type + " " + execution + " " + memory).isEqualTo(expected);
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = FrozenWeights.class,
      names = {"NF4", "Q4_0"})
  void aQuantisedBaseIsThePlainBaseOfItsRoundedWeights(FrozenWeights weights) {
    ModelConfig config = config(OptionalInt.empty(), false);
    Batch batch = batch(new Random(9), 3, 33, config.vocabSize());
    for (DType type : List.of(DType.F32, DType.BF16)) {
      try (MemoryCheckpoint base = base(config);
          MemoryCheckpoint rounded = rounded(config, base, weights)) {
        LearnerOptions options = new LearnerOptions(type, Device.CPU, 2, ActivationMemory.KEEP);
        Execution execution = execution(new VectorKernels(), 2);
        try (AdapterLearner quantised =
                AdapterLearner.create(config, base, ALL, weights, options, 1, execution);
            AdapterLearner plain = learner(config, rounded, ALL, type, execution)) {
          for (int step = 0; step < 2; step++) {
            assertThat(quantised.accumulate(batch, 1e-2)).isEqualTo(plain.accumulate(batch, 1e-2));
            quantised.step(ADAM_W, 1e-2);
            plain.step(ADAM_W, 1e-2);
          }
          assertThat(all(quantised.weights())).isEqualTo(all(plain.weights()));
          assertThat(quantised.evaluate(batch)).isEqualTo(plain.evaluate(batch));
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(FrozenWeights.class)
  void anAdapterOverfitsOneBatch(FrozenWeights weights) {
    ModelConfig config = config(OptionalInt.empty(), true);
    Batch batch = batch(new Random(6), 2, 16, config.vocabSize());
    LearnerOptions options =
        new LearnerOptions(DType.F32, Device.CPU, 2, ActivationMemory.RECOMPUTE);
    AdamW plain = new AdamW(0.9, 0.95, 1e-8, 0, false, false, 1);
    try (MemoryCheckpoint base = base(config);
        AdapterLearner learner =
            AdapterLearner.create(
                config,
                base,
                new AdapterSettings(8, 16, ALL.targets()),
                weights,
                options,
                1,
                execution(new VectorKernels(), 2))) {
      double scale = 1.0 / batch.targetCount();
      double first = learner.evaluate(batch) * scale;
      for (int step = 0; step < 120; step++) {
        learner.accumulate(batch, scale);
        learner.step(plain, 1e-2);
      }
      assertThat(learner.evaluate(batch) * scale).isLessThan(0.1 * first);
    }
  }

  @Test
  void aSavedAndLoadedLearnerContinuesBitForBit() {
    ModelConfig config = config(OptionalInt.of(8), false);
    Batch batch = batch(new Random(8), 4, 33, config.vocabSize());
    for (DType type : List.of(DType.F32, DType.BF16)) {
      try (MemoryCheckpoint base = base(config);
          AdapterLearner learner =
              learner(config, base, ALL, type, execution(new VectorKernels(), 2));
          AdapterLearner resumed =
              learner(config, base, ALL, type, execution(new VectorKernels(), 2))) {
        step(learner, batch);
        step(resumed, batch);
        step(resumed, batch);
        resumed.loadWeights(MemoryCheckpoint.of("saved", learner.weights()));
        resumed.loadOptimizerState(MemoryCheckpoint.of("saved", learner.optimizerState()));
        step(learner, batch);
        step(resumed, batch);
        assertThat(all(resumed.weights())).isEqualTo(all(learner.weights()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(FrozenWeights.class)
  void closingFreesEveryTensor(FrozenWeights weights) {
    ModelConfig config = config(OptionalInt.of(8), true);
    Random random = new Random(1);
    try (MemoryCheckpoint base = base(config)) {
      long before = Tensor.liveCount();
      LearnerOptions options =
          new LearnerOptions(DType.BF16, Device.CPU, 2, ActivationMemory.RECOMPUTE);
      try (AdapterLearner learner =
          AdapterLearner.create(
              config, base, ALL, weights, options, 1, execution(new VectorKernels(), 1))) {
        step(learner, batch(random, 5, 33, config.vocabSize()));
        long live = Tensor.liveCount();
        step(learner, batch(random, 5, 33, config.vocabSize()));
        assertThat(Tensor.liveCount()).isEqualTo(live);
        learner.evaluate(batch(random, 3, 20, config.vocabSize()));
        assertThat(learner.optimizerState()).isNotEmpty();
      }
      assertThat(Tensor.liveCount()).isEqualTo(before);
    }
  }

  private static void step(AdapterLearner learner, Batch batch) {
    learner.accumulate(batch, 1.0 / batch.targetCount());
    learner.step(ADAM_W, 1e-2);
  }

  private static Execution execution(Kernels kernels, int threads) {
    return new Execution(kernels, 4, threads, 1);
  }

  private static AdapterLearner learner(
      ModelConfig config,
      MemoryCheckpoint base,
      AdapterSettings settings,
      DType type,
      Execution execution) {
    LearnerOptions options = new LearnerOptions(type, Device.CPU, 2, ActivationMemory.KEEP);
    return AdapterLearner.create(
        config, base, settings, FrozenWeights.PLAIN, options, 1, execution);
  }

  /// Random weights.
  private static MemoryCheckpoint base(ModelConfig config) {
    WeightInitializer initializer = new WeightInitializer(3, WeightInitializer.OutputScale.SAME);
    List<TensorView> views = new ArrayList<>();
    moxin.model.WeightNames.shapes(config)
        .forEach((name, shape) -> views.add(view(name, shape, initializer.weights(config, name))));
    return MemoryCheckpoint.of("random base", views);
  }

  /// The matrices of `base` as they are after having been quantised.
  private static MemoryCheckpoint rounded(
      ModelConfig config, MemoryCheckpoint base, FrozenWeights kind) {
    List<TensorView> views = new ArrayList<>();
    Set<String> matrices = new java.util.HashSet<>();
    for (AdapterTarget target : AdapterTarget.values()) {
      for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
        matrices.add(target.weight().name(layer));
      }
    }
    for (String name : base.names()) {
      TensorView view = base.tensor(name);
      if (!matrices.contains(name)) {
        views.add(view);
        continue;
      }
      float[] values = new float[Math.toIntExact(view.elements())];
      try (var arena = java.lang.foreign.Arena.ofConfined()) {
        QuantisedWeight weight = QuantisedWeight.allocate(kind, values.length, arena);
        float[] piece = new float[QuantisedWeight.PIECE];
        for (int i = 0; i < weight.pieces(); i++) {
          weight.set(i, view);
          weight.read(i, piece);
          System.arraycopy(piece, 0, values, i * QuantisedWeight.PIECE, weight.count(i));
        }
      }
      assertThat(values).isNotEqualTo(Precision.widen(view));
      views.add(view(name, view.shape(), values));
    }
    return MemoryCheckpoint.of("rounded base", views);
  }

  private static MemoryCheckpoint randomAdapter(
      Random random, ModelConfig config, AdapterSettings settings) {
    List<TensorView> views = new ArrayList<>();
    settings
        .shapes(config)
        .forEach(
            (name, shape) -> {
              float[] values = new float[Math.toIntExact(shape.getFirst() * shape.getLast())];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian(0, 0.05);
              }
              views.add(view(name, shape, values));
            });
    return MemoryCheckpoint.of("random adapter", views);
  }

  private static TensorView view(String name, List<Long> shape, float[] values) {
    return new TensorView(name, DType.F32, shape, java.lang.foreign.MemorySegment.ofArray(values));
  }

  private static List<TensorView> copies(List<TensorView> views) {
    return views.stream()
        .map(view -> view(view.name(), view.shape(), Precision.widen(view)))
        .toList();
  }

  private static float[] all(List<TensorView> views) {
    int size = (int) views.stream().mapToLong(TensorView::elements).sum();
    float[] all = new float[size];
    int at = 0;
    for (TensorView view : views) {
      float[] values = Precision.widen(view);
      System.arraycopy(values, 0, all, at, values.length);
      at += values.length;
    }
    return all;
  }

  /// Adds s·B·A to the weight of the B that `factor` is.
  private static void addTo(
      ReferenceTransformer reference,
      TensorView factor,
      List<TensorView> factors,
      AdapterSettings settings) {
    if (!factor.name().endsWith(".lora_B.weight")) {
      return;
    }
    double[] weight = reference.weight(weightName(factor));
    float[] a = Precision.widen(other(factor, factors));
    float[] b = Precision.widen(factor);
    int rank = settings.rank();
    int in = a.length / rank;
    for (int i = 0; i < weight.length; i++) {
      for (int k = 0; k < rank; k++) {
        weight[i] += settings.scale() * b[i / in * rank + k] * a[k * in + i % in];
      }
    }
  }

  /// dB = s·dW·Aᵀ, dA = s·Bᵀ·dW.
  private static double[] expectedGradient(
      ReferenceTransformer reference,
      TensorView factor,
      List<TensorView> factors,
      AdapterSettings settings) {
    boolean ofA = factor.name().endsWith(".lora_A.weight");
    double[] dWeight = reference.gradient(weightName(factor));
    float[] other = Precision.widen(other(factor, factors));
    int rank = settings.rank();
    int in = ofA ? factor.shape().getLast().intValue() : other.length / rank;
    double[] gradient = new double[Math.toIntExact(factor.elements())];
    for (int i = 0; i < dWeight.length; i++) {
      for (int k = 0; k < rank; k++) {
        int inA = k * in + i % in;
        int inB = i / in * rank + k;
        gradient[ofA ? inA : inB] += settings.scale() * dWeight[i] * other[ofA ? inB : inA];
      }
    }
    return gradient;
  }

  private static String weightName(TensorView factor) {
    return factor.name().replace("base_model.model.", "").replaceFirst("\\.lora_[AB]", "");
  }

  private static TensorView other(TensorView factor, List<TensorView> factors) {
    Factor wanted = factor.name().endsWith(".lora_A.weight") ? Factor.B : Factor.A;
    String name = factor.name().replaceFirst("\\.lora_[AB]", ".lora_" + wanted);
    return factors.stream().filter(view -> view.name().equals(name)).findAny().orElseThrow();
  }

  private static ModelConfig config(OptionalInt window, boolean tied) {
    return new ModelConfig(
        "mistral", 61, 48, 76, 2, 4, 2, 8, 1e-5, 10000, window, 512, tied, 1, 2, 0.3);
  }

  private static Batch batch(Random random, int rows, int length, int vocabulary) {
    int[] ids = random.ints((long) rows * length, 0, vocabulary).toArray();
    int[] targets = random.ints((long) rows * length, 0, vocabulary).toArray();
    int[] segments = new int[rows * length];
    for (int i = 0; i < targets.length; i++) {
      if (random.nextInt(10) == 0) {
        targets[i] = Batch.IGNORED;
      }
      int previous = i % length == 0 ? 0 : segments[i - 1];
      segments[i] = random.nextInt(25) == 0 ? previous + 1 : previous;
    }
    return new Batch(rows, length, ids, targets, segments);
  }
}
