package moxin.infer.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The Vector API tier against the scalar one, bit for bit.
@Seeded
final class MatrixKernelsParityTest {

  private static final int[] SIZES = {1, 7, 8, 13, 32, 33, 257};
  private static final int[] BLOCKS = {1, 2, 7};
  private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 33};

  private final MatrixKernels scalar = new ScalarKernels();
  private final MatrixKernels vector = new VectorKernels();

  @ParameterizedTest
  @EnumSource
  void productsAgree(WeightFormat format, Random random) {
    for (int columns : columns(format)) {
      for (int rows : SIZES) {
        for (int tokens : TOKENS) {
          try (KernelCase one = new KernelCase(format, rows, columns, tokens).random(random)) {
            assertThat(one.multiply(vector, 1 + random.nextInt(4)))
                .as("%d rows, %d columns, %d tokens", rows, columns, tokens)
                .isEqualTo(one.multiply(scalar, 1));
          }
        }
      }
    }
  }

  static int[] columns(WeightFormat format) {
    if (format.blockElements() == 1) {
      return SIZES;
    }
    return Arrays.stream(BLOCKS).map(blocks -> blocks * format.blockElements()).toArray();
  }
}
