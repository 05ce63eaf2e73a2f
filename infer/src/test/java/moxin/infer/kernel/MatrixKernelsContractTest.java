package moxin.infer.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import moxin.testing.Seeded;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Laws of every tier: the right numbers, and the same for a token whatever comes with it.
@Seeded
final class MatrixKernelsContractTest {

  /// Half a unit in the last place of fp32, relative.
  private static final double ROUNDING = 0x1p-24;

  static Stream<Arguments> tiersAndFormats() {
    return Stream.concat(Stream.of(new ScalarKernels()), ExactTiers.all())
        .flatMap(
            tier -> Arrays.stream(WeightFormat.values()).map(format -> Arguments.of(tier, format)));
  }

  @ParameterizedTest
  @MethodSource("tiersAndFormats")
  void aTokensOutputsDependOnNoOtherTokenAndNoTiling(
      MatrixKernels tier, WeightFormat format, Random random) {
    int columns = format.blockElements() == 1 ? 300 : 2 * format.blockElements();
    try (KernelCase one = new KernelCase(format, 100, columns, 29).random(random)) {
      float[] all = one.multiply(tier, 4);
      assertThat(one.multiply(tier, 1)).isEqualTo(all);
      assertThat(one.multiply(tier, 3)).isEqualTo(all);
      for (int from : new int[] {0, 3, 12, 28}) {
        for (int to : new int[] {from + 1, from + 2, 29}) {
          if (to <= 29) {
            assertThat(one.multiply(tier, from, to, 2))
                .as("tokens %d to %d", from, to)
                .isEqualTo(Arrays.copyOfRange(all, from * 100, to * 100));
          }
        }
      }
    }
  }

  /// Each of at most n fused multiply-adds rounds once, each scale at most three times: the error
  /// is below (n + 3) · 2^-24 · Σ|terms|. Quantised activations are off by half a step, and a
  /// little for rounding the quotient.
  @ParameterizedTest
  @MethodSource("tiersAndFormats")
  void productsAreThoseOfFloat64(MatrixKernels tier, WeightFormat format, Random random) {
    int columns = format.blockElements() == 1 ? 777 : 3 * format.blockElements();
    try (KernelCase one = new KernelCase(format, 45, columns, 7).random(random)) {
      float[] y = one.multiply(tier, 2);
      double[][] weights = weights(one);
      for (int token = 0; token < one.tokens; token++) {
        for (int row = 0; row < one.rows; row++) {
          double sum = 0;
          double allowed = 0;
          for (int k = 0; k < columns; k++) {
            double w = weights[row][k];
            double x = one.x(token, k);
            sum += w * x;
            double step = format.blockElements() == 1 ? 0 : step(one, token, k);
            allowed += Math.abs(w) * (step * 0.5001 + (columns + 3) * ROUNDING * Math.abs(x));
          }
          assertThat((double) y[token * one.rows + row])
              .as("token %d, row %d", token, row)
              .isCloseTo(sum, within(allowed * (1 + 1e-3) + slack(format, one, token)));
        }
      }
    }
  }

  /// Sums of integers and minima are rounded apart, so that their terms can be larger than the
  /// products of the weights.
  private static double slack(WeightFormat format, KernelCase one, int token) {
    if (format.blockElements() == 1) {
      return 0;
    }
    double steps = 0;
    for (int k = 0; k < one.columns; k++) {
      steps += step(one, token, k);
    }
    return one.columns / 8.0 * ROUNDING * steps * 128 * 2;
  }

  private static double step(KernelCase one, int token, int k) {
    double max = 0;
    for (int i = k / 32 * 32; i < k / 32 * 32 + 32; i++) {
      max = Math.max(max, Math.abs(one.x(token, i)));
    }
    return max / 127;
  }

  private static double[][] weights(KernelCase one) {
    double[][] weights = new double[one.rows][one.columns];
    for (int row = 0; row < one.rows; row++) {
      long at = row * one.format.rowBytes(one.columns);
      for (int k = 0; k < one.columns; k += one.format.blockElements()) {
        switch (one.format) {
          case F32 -> weights[row][k] = one.file.get(KernelCase.FLOAT, at);
          case BF16 ->
              weights[row][k] = Float.intBitsToFloat(one.file.get(KernelCase.SHORT, at) << 16);
          case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> {
            float[] block = new float[256];
            WeightBlock reader = new WeightBlock(one.format);
            reader.read(one.file, at);
            reader.dequantise(block, 0);
            for (int i = 0; i < one.format.blockElements(); i++) {
              weights[row][k + i] = block[i];
            }
          }
        }
        at += one.format.blockBytes();
      }
    }
    return weights;
  }
}
