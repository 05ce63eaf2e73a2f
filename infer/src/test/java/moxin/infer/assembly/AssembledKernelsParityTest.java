package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.WeightFormat;
import moxin.testing.Seeded;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Quantised products have the very bits of the contract.
@Seeded
class AssembledKernelsParityTest {
  private static final int[] ROWS = {1, 7, 8, 13, 32, 33, 257};
  private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 33};
  private static final int[] UNITS = {1, 2, 7};
  private static final int GUARD = 16;
  private static final int UNTOUCHED = 0x7FC0DEAD;

  static Stream<Arguments> levelsAndFormats() {
    return Arrays.stream(CodeLevel.values())
        .flatMap(
            level ->
                Arrays.stream(WeightFormat.values())
                    .filter(format -> format.blockElements() > 1)
                    .map(format -> Arguments.of(level, format)));
  }

  private static AssembledKernels kernels(CodeLevel level) {
    Optional<String> obstacle = AssembledKernels.obstacle(level);
    assumeTrue(obstacle.isEmpty(), obstacle.orElse(""));
    return AssembledKernels.with(level, new NoKernels());
  }

  @ParameterizedTest
  @MethodSource("levelsAndFormats")
  void quantisedProductsHaveTheBitsOfTheContract(
      CodeLevel level, WeightFormat format, Random random) {
    AssembledKernels kernels = kernels(level);
    int mostRows = ROWS[ROWS.length - 1];
    int mostTokens = TOKENS[TOKENS.length - 1];
    for (int units : UNITS) {
      int columns = units * format.blockElements();
      byte[][] weights = RandomWeights.rows(format, mostRows, units, random);
      float[][] x = new float[mostTokens][];
      Arrays.setAll(x, _ -> RandomWeights.activations(columns, random));
      float[][] expected = expected(format, weights, x);
      for (int rows : ROWS) {
        for (int tokens : TOKENS) {
          check(kernels, format, rows, columns, tokens, weights, x, expected, random.nextInt(1, 4));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("levelsAndFormats")
  void manyTokensAndColumnsTakeSeveralPassesWithTheSameBits(
      CodeLevel level, WeightFormat format, Random random) {
    AssembledKernels kernels = kernels(level);
    int columns = 4096 + 256;
    int tokens = 150;
    byte[][] weights = RandomWeights.rows(format, 33, columns / format.blockElements(), random);
    float[][] x = new float[tokens][];
    Arrays.setAll(x, _ -> RandomWeights.activations(columns, random));
    check(kernels, format, 33, columns, tokens, weights, x, expected(format, weights, x), 1);
  }

  private static float[][] expected(WeightFormat format, byte[][] weights, float[][] x) {
    Oracle.Row[] rows = new Oracle.Row[weights.length];
    Arrays.setAll(rows, r -> Oracle.row(format, weights[r]));
    float[][] y = new float[x.length][weights.length];
    for (int n = 0; n < x.length; n++) {
      Oracle.Input input = Oracle.Input.of(x[n]);
      for (int r = 0; r < rows.length; r++) {
        y[n][r] = rows[r].times(input);
      }
    }
    return y;
  }

  private static void check(
      AssembledKernels kernels,
      WeightFormat format,
      int rows,
      int columns,
      int tokens,
      byte[][] weights,
      float[][] x,
      float[][] expected,
      int tilesPerCall) {
    try (Arena arena = Arena.ofConfined()) {
      Guarded data = new Guarded(kernels.packedBytes(format, rows, columns), arena);
      PackedMatrix packed = new PackedMatrix(format, rows, columns, data.inside());
      for (int tile = 0; tile < packed.tiles(); tile++) {
        kernels.pack(packed, tile, row -> MemorySegment.ofArray(weights[row]));
      }
      Guarded input = new Guarded(kernels.inputBytes(InputFormat.INT8, tokens, columns), arena);
      MemorySegment floats = floats(x, tokens, columns + 3, arena);
      kernels.prepare(
          InputFormat.INT8, floats, columns + 3, tokens, 0, tokens, columns, input.inside());

      int yStride = packed.paddedRows() + GUARD;
      Guarded y = new Guarded((long) tokens * yStride * Float.BYTES, arena);
      for (int tile = 0; tile < packed.tiles(); tile += tilesPerCall) {
        int to = Math.min(packed.tiles(), tile + tilesPerCall);
        kernels.multiply(packed, tile, to, input.inside(), tokens, y.inside(), yStride);
      }
      for (int n = 0; n < tokens; n++) {
        int[] wanted = new int[yStride];
        Arrays.fill(wanted, packed.paddedRows(), yStride, UNTOUCHED);
        for (int r = 0; r < rows; r++) {
          wanted[r] = Float.floatToRawIntBits(expected[n][r]);
        }
        MemorySegment line = y.inside().asSlice((long) n * yStride * 4, yStride * 4L);
        assertThat(line.toArray(ValueLayout.JAVA_INT))
            .as(
                "%s, %s, %d rows, %d columns, token %d of %d",
                kernels.name(), format, rows, columns, n, tokens)
            .isEqualTo(wanted);
      }
      data.check();
      input.check();
      y.check();
    }
  }

  private static MemorySegment floats(float[][] x, int tokens, int stride, Arena arena) {
    MemorySegment result = arena.allocate((long) tokens * stride * Float.BYTES, 64);
    for (int n = 0; n < tokens; n++) {
      MemorySegment.copy(
          x[n], 0, result, ValueLayout.JAVA_FLOAT, (long) n * stride * Float.BYTES, x[n].length);
    }
    return result;
  }

  /// Memory between two lines that must stay as they are.
  private record Guarded(MemorySegment all, long byteSize) {
    private static final int LINE = 64;

    Guarded(long byteSize, Arena arena) {
      this(arena.allocate(byteSize + 2 * LINE, LINE), byteSize);
      for (long i = 0; i < all.byteSize() / Integer.BYTES; i++) {
        all.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i, UNTOUCHED);
      }
    }

    MemorySegment inside() {
      return all.asSlice(LINE, byteSize);
    }

    void check() {
      for (int i = 0; i < LINE; i += Integer.BYTES) {
        assertThat(all.get(ValueLayout.JAVA_INT, i)).isEqualTo(UNTOUCHED);
        assertThat(all.get(ValueLayout.JAVA_INT_UNALIGNED, LINE + byteSize + i))
            .isEqualTo(UNTOUCHED);
      }
    }
  }
}
