package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.BiConsumer;
import moxin.testing.Seeded;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Vector kernels against the scalar ones, bit for bit, and those against float64.
@Seeded
final class BlockKernelsParityTest {

  private final Arena arena = Arena.ofConfined();
  private final BlockKernels scalar = new ScalarBlockKernels();
  private final BlockKernels vector = new VectorBlockKernels();

  @AfterEach
  void closeMemory() {
    arena.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 13, 32, 33, 64, 257, 2048})
  void rowsAgree(int size, Random random) {
    MemorySegment x = numbers(size + 5, random);
    MemorySegment scale = numbers(size, random);
    agree(size + 9, random, (k, y) -> k.normalise(x, 2, scale, size, 1e-5, y, 3));
    agree(size + 9, random, (k, y) -> k.add(x, 1, y, 4, size));
    agree(size + 9, random, (k, y) -> k.gate(y, 4, x, 1, size));
    float[] source = x.toArray(ValueLayout.JAVA_FLOAT);
    agree(size + 9, random, (k, y) -> k.scale(source, 1, 0.37f, y, 4, size));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 8, 14, 32, 64, 128, 130})
  void rotationsAgree(int depth, Random random) {
    MemorySegment cosines = numbers(depth, random);
    MemorySegment sines = numbers(depth, random);
    agree(3 * depth + 5, random, (k, y) -> k.rotate(y, 2, 3, depth, cosines, sines, 1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 33})
  void accumulatedProductsAgree(int rows, Random random) {
    for (int inner : new int[] {1, 7, 32, 33}) {
      for (int columns : new int[] {2, 24, 32, 64, 96, 128}) {
        float[] a = floats(rows * (inner + 1) + 3, random);
        float[] b = floats(inner * (columns + 2) + 3, random);
        int stride = columns + 1;
        float[] start = floats(rows * stride + 4, random);
        float[] expected = start.clone();
        float[] actual = start.clone();
        scalar.accumulate(
            a, 3, inner + 1, rows, inner, b, columns + 2, expected, 2, stride, columns);
        vector.accumulate(a, 3, inner + 1, rows, inner, b, columns + 2, actual, 2, stride, columns);
        assertThat(actual).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {32, 64, 288})
  void exponentialsAgree(int count, Random random) {
    float[] expected = floats(count + 7, random);
    for (int i = 0; i < count; i += 5) {
      expected[3 + i] = i % 2 == 0 ? Float.NEGATIVE_INFINITY : -1e4f;
    }
    float[] actual = expected.clone();
    float sum = scalar.exponentials(expected, 3, count, 0.7f);
    assertThat(vector.exponentials(actual, 3, count, 0.7f)).isEqualTo(sum);
    assertThat(actual).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 13, 32, 33, 64, 128})
  void panelsOfBytesAgree(int depth, Random random) {
    int count = depth * BlockKernels.LANES;
    MemorySegment panel = arena.allocate(KvType.Q8.byteSize(depth, BlockKernels.LANES), 64);
    byte[] numbers = new byte[count];
    random.nextBytes(numbers);
    MemorySegment.copy(
        numbers, 0, panel, ValueLayout.JAVA_BYTE, BlockKernels.LANES * Float.BYTES, count);
    float[] scales = floats(BlockKernels.LANES, random);
    MemorySegment.copy(scales, 0, panel, ValueLayout.JAVA_FLOAT, 0, scales.length);
    float[] columns = new float[count];
    float[] rows = new float[count];
    scalar.widenColumns(panel, columns, depth);
    scalar.widenRows(panel, rows, depth);
    for (int i = 0; i < count; i++) {
      assertThat(columns[i]).isEqualTo(numbers[i] * scales[i % BlockKernels.LANES]);
      assertThat(rows[i]).isEqualTo(numbers[i] * scales[i / depth]);
    }
    float[] found = new float[count];
    vector.widenColumns(panel, found, depth);
    assertThat(found).isEqualTo(columns);
    vector.widenRows(panel, found, depth);
    assertThat(found).isEqualTo(rows);
  }

  @ParameterizedTest
  @EnumSource(value = KvType.class, mode = EnumSource.Mode.EXCLUDE, names = "Q8")
  void widenedNumbersAgree(KvType type, Random random) {
    MemorySegment source = arena.allocate(type.byteSize(65536, 1), 64);
    for (int i = 0; i < 65536; i++) {
      if (type == KvType.F32) {
        source.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
      } else if (type == KvType.F16 && (i & 0x7C00) == 0x7C00) {
        source.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) 0x3C00);
      } else {
        source.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
      }
    }
    float[] expected = new float[65536];
    float[] actual = new float[65536];
    scalar.widen(source, type, expected, 65536);
    vector.widen(source, type, actual, 65536);
    assertThat(actual).isEqualTo(expected);
  }

  @Test
  void theExponentialIsWithinTwoUnitsInTheLastPlace() {
    double worst = 0;
    for (float x = -87f; x <= 88f; x += 0.00137f) {
      double exact = Math.exp(x);
      worst = Math.max(worst, Math.abs(Exponential.of(x) - exact) / Math.ulp((float) exact));
    }
    assertThat(worst).isLessThan(2);
    assertThat(Exponential.of(-88f)).isZero();
    assertThat(Exponential.of(Float.NEGATIVE_INFINITY)).isZero();
    assertThat(Exponential.of(0f)).isEqualTo(1f);
  }

  @Test
  void normsAndGatesAreThoseOfFloat64(Random random) {
    int size = 64;
    MemorySegment x = numbers(size, random);
    MemorySegment one = arena.allocate(4L * size, 64);
    MemorySegment y = arena.allocate(4L * size, 64);
    double squares = 0;
    for (int i = 0; i < size; i++) {
      one.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1f);
      squares += Math.pow(at(x, i), 2);
    }
    scalar.normalise(x, 0, one, size, 1e-5, y, 0);
    for (int i = 0; i < size; i++) {
      double expected = at(x, i) / Math.sqrt(squares / size + 1e-5);
      assertThat((double) at(y, i)).isCloseTo(expected, within(4e-7 * Math.abs(expected)));
    }
    MemorySegment gate = arena.allocate(4L * size, 64).copyFrom(x);
    scalar.gate(gate, 0, one, 0, size);
    for (int i = 0; i < size; i++) {
      double expected = at(x, i) / (1 + Math.exp(-at(x, i)));
      assertThat((double) at(gate, i))
          .isCloseTo(expected, within(5e-7 * Math.abs(expected) + 1e-12));
    }
  }

  /// Runs `work` with both kernels on equal memory and compares all of it.
  private void agree(int size, Random random, BiConsumer<BlockKernels, MemorySegment> work) {
    MemorySegment first = numbers(size, random);
    MemorySegment second = arena.allocate(first.byteSize(), 64).copyFrom(first);
    work.accept(scalar, first);
    work.accept(vector, second);
    assertThat(second.toArray(ValueLayout.JAVA_INT)).isEqualTo(first.toArray(ValueLayout.JAVA_INT));
  }

  private static float at(MemorySegment segment, long index) {
    return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  private static float[] floats(int count, Random random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    return numbers;
  }

  private MemorySegment numbers(int count, Random random) {
    MemorySegment numbers = arena.allocate(4L * count, 64);
    for (int i = 0; i < count; i++) {
      numbers.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return numbers;
  }
}
