package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.OptimizerStates;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Updates of narrow weights and moments against the update of fp32 ones and the formulas by which
/// its results are rounded.
@Seeded
class NarrowUpdateTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 1.0);
  private static final int GROUPS = 8;
  private static final long SEED = 77;
  private static final long INDEX = (1L << 32) - 512;

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  private static AdamWStep step(long number) {
    return AdamWStep.of(ADAM_W, 1e-3, number, 2.0, SEED);
  }

  /// Weights, moments and a gradient of sizes over six decades, after two steps.
  private static ParameterRange range(
      Random random, int size, OptimizerStates states, DType weights, long index) {
    Tensor w = Tensor.zeros(weights, Device.CPU, size);
    w.copyFrom(Tensor.of(numbers(random, size, 0), Device.CPU, size));
    Tensor g = Tensor.of(numbers(random, size, 6), Device.CPU, size);
    Moment first = Moment.first(states, size, Device.CPU);
    Moment second = Moment.second(states, size, Device.CPU);
    return new ParameterRange(w, g, first, second, w, index);
  }

  private static float[] numbers(Random random, int size, int decades) {
    float[] numbers = new float[size];
    for (int i = 0; i < size; i++) {
      double magnitude = Math.pow(10, -decades * random.nextDouble());
      numbers[i] = (float) (random.nextGaussian() * magnitude);
    }
    return numbers;
  }

  private static float[] widened(Moment moment) {
    float[] values = moment.values().toFloats();
    if (moment.coded()) {
      boolean signed = moment.values().type() == DType.I8;
      float[] scales = moment.scales().toFloats();
      for (int i = 0; i < values.length; i++) {
        double c = values[i];
        double share = signed ? c * Math.abs(c) / (127 * 127) : Math.pow(c / 255, 4);
        values[i] = (float) (share * scales[i / OptimizerStates.BLOCK]);
      }
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 32, 33, 257, 1024 + 13})
  void bf16IsTheFp32UpdateRoundedByTheBitsOfStepAndElement(int size, Random random) {
    try (Scope _ = Scope.open()) {
      ParameterRange narrow = range(random, size, OptimizerStates.BF16, DType.BF16, INDEX);
      for (int number = 1; number <= 3; number++) {
        AdamWStep step = step(number);
        narrow.gradient().copyFrom(Tensor.of(numbers(random, size, 6), Device.CPU, size));
        Tensor weights = Tensor.of(narrow.weights().toFloats(), Device.CPU, size);
        Tensor first = Tensor.of(narrow.first().values().toFloats(), Device.CPU, size);
        Tensor second = Tensor.of(narrow.second().values().toFloats(), Device.CPU, size);
        Tensor gradient = Tensor.of(narrow.gradient().toFloats(), Device.CPU, size);
        new VectorKernels()
            .adamW(
                step,
                0.1,
                new ParameterRange(
                    weights,
                    gradient,
                    new Moment(first, first),
                    new Moment(second, second),
                    weights,
                    0));
        new VectorKernels().adamW(step, 0.1, narrow);
        for (int i = 0; i < size; i++) {
          int moments = bits(step, RoundingBits.Use.MOMENTS, i);
          assertThat(narrow.weights().toFloats()[i])
              .isEqualTo(rounded(weights.toFloats()[i], bits(step, RoundingBits.Use.WEIGHTS, i)));
          assertThat(narrow.first().values().toFloats()[i])
              .isEqualTo(rounded(first.toFloats()[i], moments));
          assertThat(narrow.second().values().toFloats()[i])
              .isEqualTo(rounded(second.toFloats()[i], moments >>> 16));
          if (size > 64 && i == 64) {
            break;
          }
        }
        assertThat(narrow.gradient().toFloats()).containsOnly(0f);
      }
    }
  }

  private static int bits(AdamWStep step, RoundingBits.Use use, int i) {
    long index = INDEX + i;
    return RoundingBits.of(SEED, step.number(), use, index).at(index);
  }

  private static float rounded(float value, int random) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + (random & 0xffff)) & 0xffff0000);
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 256, 257, 2000})
  void codesAreNextToTheMomentsOfTheFp32Update(int size, Random random) {
    try (Scope _ = Scope.open()) {
      ParameterRange narrow = range(random, size, OptimizerStates.INT8, DType.F32, INDEX);
      Tensor weights = Tensor.of(narrow.weights().toFloats(), Device.CPU, size);
      Tensor gradient = Tensor.of(narrow.gradient().toFloats(), Device.CPU, size);
      Tensor first = Tensor.zeros(DType.F32, Device.CPU, size);
      Tensor second = Tensor.zeros(DType.F32, Device.CPU, size);
      ParameterRange exact =
          new ParameterRange(
              weights, gradient, new Moment(first, first), new Moment(second, second), weights, 0);
      new VectorKernels().adamW(step(1), 0.1, exact);
      new VectorKernels().adamW(step(1), 0.1, narrow);
      assertThat(narrow.weights().toFloats()).isEqualTo(weights.toFloats());
      float[] m = first.toFloats();
      float[] v = second.toFloats();
      float[] foundM = widened(narrow.first());
      float[] foundV = widened(narrow.second());
      float[] mScales = narrow.first().scales().toFloats();
      float[] vScales = narrow.second().scales().toFloats();
      for (int i = 0; i < size; i++) {
        double s = mScales[i / 256];
        double code = Math.sqrt(Math.abs(m[i]) / s) * 127;
        assertThat((double) foundM[i]).isCloseTo(m[i], within(s * (2 * code + 1.001) / 16129));
        double t = vScales[i / 256];
        double root = Math.pow(v[i] / t, 0.25) * 255;
        double above = Math.pow((root + 1.001) / 255, 4) * t;
        assertThat((double) foundV[i]).isCloseTo(v[i], within(above - v[i]));
        assertThat(foundV[i] > 0).isEqualTo(v[i] > 0);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {33, 257, 5000})
  void libtorchsOperatorsRoundByTheSameBits(int size, Random random) {
    for (OptimizerStates states : OptimizerStates.values()) {
      for (DType type : new DType[] {DType.F32, DType.BF16}) {
        try (Scope _ = Scope.open()) {
          long seed = random.nextLong();
          ParameterRange vector = range(new Random(seed), size, states, type, INDEX);
          ParameterRange aten = range(new Random(seed), size, states, type, INDEX);
          for (int number = 1; number <= 3; number++) {
            float[] g = numbers(random, size, 6);
            vector.gradient().copyFrom(Tensor.of(g, Device.CPU, size));
            aten.gradient().copyFrom(Tensor.of(g, Device.CPU, size));
            new VectorKernels().adamW(step(number), 0.1, vector);
            new AtenKernels().adamW(step(number), 0.1, aten);
          }
          // In each of three steps a bf16 number may be rounded the other way, which moves it by
          // less than 2^-7 of it, and a code by one, which is 255/127^2 of the largest at most.
          assertSame(vector.weights().toFloats(), aten.weights().toFloats(), 3 / 128.0);
          assertSame(widened(vector.first()), widened(aten.first()), 3 * 255 / 16129.0);
          assertSame(widened(vector.second()), widened(aten.second()), 3 * 255 / 16129.0);
        }
      }
    }
  }

  /// The two differ by some units in the last place before they are rounded, 8 at most times, and
  /// 16 bits decide how: each of three steps rounds 8/2^16 of the numbers otherwise. Six standard
  /// deviations more are allowed.
  private static void assertSame(float[] a, float[] b, double tolerance) {
    int others = 0;
    float largest = 0;
    for (float value : a) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < a.length; i++) {
      others += Math.abs(a[i] - b[i]) <= 1e-5 * Math.abs(a[i]) ? 0 : 1;
      assertThat(b[i]).isCloseTo(a[i], within((float) tolerance * largest));
    }
    double expected = 3 * 8.0 / 65536 * a.length;
    assertThat((double) others).isLessThanOrEqualTo(2 + expected + 6 * Math.sqrt(expected));
  }

  @Test
  void roundingIsRightInTheMean(Random random) {
    int size = 256;
    int steps = 4000;
    AdamW frozen = new AdamW(0.5, 0.5, 1e-8, 0, true, false, 1e9);
    float[] g = numbers(random, size, 3);
    for (OptimizerStates states :
        new OptimizerStates[] {OptimizerStates.BF16, OptimizerStates.INT8}) {
      double[] sums = new double[GROUPS];
      double[] squares = new double[GROUPS];
      try (Scope _ = Scope.open()) {
        ParameterRange range = range(random, size, states, DType.BF16, 0);
        for (int number = 1; number <= steps; number++) {
          range.first().zero();
          range.second().zero();
          range.gradient().copyFrom(Tensor.of(g, Device.CPU, size));
          new VectorKernels().adamW(AdamWStep.of(frozen, 1e-12, number, 1, SEED), 0, range);
          float[] m = widened(range.first());
          for (int i = 0; i < size; i++) {
            double error = m[i] - 0.5 * g[i];
            sums[i % GROUPS] += error;
            squares[i % GROUPS] += error * error;
          }
        }
      }
      // Each is about normal; rounding to nearest would make them 60 times as large.
      for (int group = 0; group < GROUPS; group++) {
        assertThat(Math.abs(sums[group]) / Math.sqrt(squares[group]))
            .as(states.name())
            .isLessThan(5.5);
      }
    }
  }

  @Test
  void aBitIsTheSameHoweverARangeIsCut(Random random) {
    int size = 2048;
    for (OptimizerStates states : OptimizerStates.values()) {
      try (Scope _ = Scope.open()) {
        long seed = random.nextLong();
        ParameterRange whole = range(new Random(seed), size, states, DType.BF16, INDEX);
        ParameterRange cut = range(new Random(seed), size, states, DType.BF16, INDEX);
        new VectorKernels().adamW(step(1), 0.1, whole);
        for (long[] part : new long[][] {{768, 1280}, {0, 768}}) {
          new VectorKernels()
              .adamW(
                  step(1),
                  0.1,
                  new ParameterRange(
                      cut.weights().view(part[0], part[1]),
                      cut.gradient().view(part[0], part[1]),
                      cut.first().range(part[0], part[1]),
                      cut.second().range(part[0], part[1]),
                      cut.weights().view(part[0], part[1]),
                      INDEX + part[0]));
        }
        assertThat(cut.weights().data().mismatch(whole.weights().data())).isEqualTo(-1);
        assertThat(cut.first().values().data().mismatch(whole.first().values().data()))
            .isEqualTo(-1);
        assertThat(cut.second().scales().data().mismatch(whole.second().scales().data()))
            .isEqualTo(-1);
      }
    }
  }

  @Test
  void valuesThatAreNotFiniteStaySo() {
    try (Scope _ = Scope.open()) {
      ParameterRange range = range(new Random(1), 32, OptimizerStates.BF16, DType.BF16, 0);
      range.gradient().data().setAtIndex(ValueLayout.JAVA_FLOAT, 3, Float.NaN);
      range.gradient().data().setAtIndex(ValueLayout.JAVA_FLOAT, 9, Float.POSITIVE_INFINITY);
      new VectorKernels().adamW(step(1), 0.1, range);
      float[] first = range.first().values().toFloats();
      assertThat(first[3]).isNaN();
      assertThat(first[9]).isEqualTo(Float.POSITIVE_INFINITY);
      assertThat(first[4]).isFinite();
    }
  }
}
