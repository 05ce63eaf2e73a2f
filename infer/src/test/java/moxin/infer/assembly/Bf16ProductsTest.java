package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Random;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.WeightFormat;
import moxin.testing.Seeded;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// bf16 products are near exact ones and the same for any number of tokens.
@Seeded
class Bf16ProductsTest {
  private static final int ROWS = 33;
  private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 33};

  private static final int MOST_TOKENS = 33;

  /// Each pair of columns rounds twice at most.
  private static final double ROUNDING = 0x1p-23;

  @BeforeEach
  void needsTheProcessor() {
    Optional<String> obstacle = AssembledKernels.obstacle(CodeLevel.AVX512);
    assumeTrue(obstacle.isEmpty(), obstacle.orElse(""));
    InputFormat format =
        AssembledKernels.with(CodeLevel.AVX512, new NoKernels()).inputFormat(WeightFormat.BF16);
    assumeTrue(format == InputFormat.BF16, "no AVX512_BF16");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 13, 32, 33, 257, 4096})
  void productsAreNearExactOnesAndTheSameForAnyNumberOfTokens(int columns, Random random) {
    AssembledKernels kernels = AssembledKernels.with(CodeLevel.AVX512, new NoKernels());
    short[][] weights = new short[ROWS][columns];
    float[][] x = new float[MOST_TOKENS][columns];
    for (short[] row : weights) {
      for (int k = 0; k < columns; k++) {
        row[k] = toBf16((float) random.nextGaussian());
      }
    }
    for (float[] token : x) {
      for (int k = 0; k < columns; k++) {
        token[k] = (float) random.nextGaussian();
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      long bytes = kernels.packedBytes(WeightFormat.BF16, ROWS, columns);
      PackedMatrix packed =
          new PackedMatrix(WeightFormat.BF16, ROWS, columns, arena.allocate(bytes, 64));
      for (int tile = 0; tile < packed.tiles(); tile++) {
        kernels.pack(packed, tile, row -> MemorySegment.ofArray(weights[row]));
      }
      float[][] most = multiply(kernels, packed, x, MOST_TOKENS, arena);
      for (int n = 0; n < MOST_TOKENS; n++) {
        for (int r = 0; r < ROWS; r++) {
          checkNear(weights[r], x[n], most[n][r]);
        }
        for (int r = ROWS; r < packed.paddedRows(); r++) {
          assertThat(most[n][r]).as("padding").isZero();
        }
      }
      for (int tokens : TOKENS) {
        float[][] y = multiply(kernels, packed, x, tokens, arena);
        for (int n = 0; n < tokens; n++) {
          assertThat(y[n]).as("token %d of %d", n, tokens).isEqualTo(most[n]);
        }
      }
    }
  }

  private static void checkNear(short[] weights, float[] x, float y) {
    double exact = 0;
    double magnitude = 0;
    for (int k = 0; k < weights.length; k++) {
      double product = (double) fromBf16(weights[k]) * fromBf16(toBf16(x[k]));
      exact += product;
      magnitude += Math.abs(product);
    }
    assertThat((double) y).isCloseTo(exact, within(weights.length * ROUNDING * magnitude));
  }

  private static float[][] multiply(
      AssembledKernels kernels, PackedMatrix packed, float[][] x, int tokens, Arena arena) {
    int columns = packed.columns();
    MemorySegment floats = arena.allocate((long) tokens * columns * Float.BYTES, 64);
    for (int n = 0; n < tokens; n++) {
      long at = (long) n * columns * Float.BYTES;
      MemorySegment.copy(x[n], 0, floats, ValueLayout.JAVA_FLOAT, at, columns);
    }
    MemorySegment input =
        arena.allocate(kernels.inputBytes(InputFormat.BF16, tokens, columns), 64).fill((byte) -1);
    int middle = tokens / 2;
    kernels.prepare(InputFormat.BF16, floats, columns, tokens, middle, tokens, columns, input);
    kernels.prepare(InputFormat.BF16, floats, columns, tokens, 0, middle, columns, input);
    int stride = packed.paddedRows();
    MemorySegment y = arena.allocate((long) tokens * stride * Float.BYTES, 64);
    kernels.multiply(packed, 0, packed.tiles(), input, tokens, y, stride);
    float[][] result = new float[tokens][];
    for (int n = 0; n < tokens; n++) {
      result[n] =
          y.asSlice((long) n * stride * Float.BYTES, (long) stride * Float.BYTES)
              .toArray(ValueLayout.JAVA_FLOAT);
    }
    return result;
  }

  private static short toBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
  }

  private static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
