package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.testing.Seeded;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every kind of kernels against the scalar ones, bit for bit, and those against float64 with a
/// tolerance relative to Σ|w·x|.
@Seeded
final class KernelsParityTest {

  private static final int[] SIZES = {1, 7, 8, 13, 32, 33, 257};
  private static final int PADDING = 3;

  private final Kernels scalar = new ScalarKernels();
  private final Kernels fastest = KernelSelection.of(KernelChoice.AUTO).kernels();

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void productsAgree(DType dtype, Random random) {
    for (int columns : SIZES) {
      for (int rows : SIZES) {
        PackedMatrix weights = matrix(rows, columns, dtype, random);
        for (int tokens : SIZES) {
          productsAgree(weights, tokens, random);
        }
      }
    }
  }

  private void productsAgree(PackedMatrix weights, int tokens, Random random) {
    int xStride = weights.columns() + PADDING;
    int yStride = weights.paddedRows() + PADDING;
    float[] x = numbers(tokens * xStride, random);
    float[] expected = new float[tokens * yStride];
    float[] actual = new float[tokens * yStride];
    for (int tile = 0; tile < weights.tiles(); tile++) {
      scalar.multiplyTile(weights, tile, x, xStride, tokens, expected, yStride);
      fastest.multiplyTile(weights, tile, x, xStride, tokens, actual, yStride);
    }
    assertThat(actual).isEqualTo(expected);
    for (int check = 0; check < 5; check++) {
      int token = random.nextInt(tokens);
      int row = random.nextInt(weights.rows());
      double sum = 0;
      double magnitude = 0;
      for (int k = 0; k < weights.columns(); k++) {
        double product =
            (double) weights.at(row / Kernels.TILE, k, row % Kernels.TILE) * x[token * xStride + k];
        sum += product;
        magnitude += Math.abs(product);
      }
      // A chain of n roundings errs by at most n·2⁻²⁴ of Σ|w·x|.
      double bound = weights.columns() * 0x1p-24 * magnitude + Float.MIN_VALUE;
      assertThat(Math.abs(expected[token * yStride + row] - sum)).isLessThanOrEqualTo(bound);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 13, 32, 33, 257})
  void scoresAndSumsAgree(int size, Random random) {
    float[] keys = numbers(size * Kernels.TILE + 5, random);
    float[] query = numbers(size + 2, random);
    float[] expected = numbers(Kernels.TILE + 8, random);
    float[] actual = expected.clone();
    scalar.scores(keys, 5, query, 2, size, expected, 4);
    fastest.scores(keys, 5, query, 2, size, actual, 4);
    assertThat(actual).isEqualTo(expected);

    float[] sums = numbers(size + 7, random);
    float[] same = sums.clone();
    scalar.addScaled(0.7f, keys, 5, sums, 3, size);
    fastest.addScaled(0.7f, keys, 5, same, 3, size);
    assertThat(same).isEqualTo(sums);
  }

  private static PackedMatrix matrix(int rows, int columns, DType dtype, Random random) {
    MemorySegment data = MemorySegment.ofArray(new byte[rows * columns * dtype.byteSize()]);
    Precision.narrow(numbers(rows * columns, random), dtype, data);
    try (Workers workers = new Workers(1)) {
      return PackedMatrix.pack(TensorView.of("w", dtype, data, rows, columns), workers);
    }
  }

  private static float[] numbers(int count, Random random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }
}
