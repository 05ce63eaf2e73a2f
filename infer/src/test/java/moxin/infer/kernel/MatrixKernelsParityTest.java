package moxin.infer.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The Vector API tier of every width and machine code for AVX2 against the scalar one, bit for
/// bit.
@Seeded
final class MatrixKernelsParityTest {

  private static final int[] SIZES = {1, 7, 8, 13, 32, 33, 257};
  private static final int[] BLOCKS = {1, 2, 7, 9};
  private static final int[] TOKENS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 33};

  /// Powers of two, the smallest and largest subnormal and normal numbers, infinity, a NaN.
  private static final int[] HALVES = {
    0x0000, 0x8000, 0x0001, 0x8001, 0x03ff, 0x83ff, 0x0400, 0x8400, 0x3c00, 0xbc00, 0x7bff, 0xfbff,
    0x7c00, 0xfc00, 0x7e01
  };

  private static final float[] ACTIVATIONS = {
    0f, -0f, 1f, -1f, 127f, 126.5f, 0.5f, -1.5f, Float.MIN_VALUE, Float.MIN_NORMAL, 1e-37f, 3e38f
  };

  private final MatrixKernels scalar = new ScalarKernels();
  private final List<MatrixKernels> tiers = ExactTiers.all().toList();

  @ParameterizedTest
  @EnumSource
  void productsAgree(WeightFormat format, Random random) {
    for (int columns : columns(format)) {
      for (int rows : SIZES) {
        int first = rows == 33 && columns <= 257 ? 0 : random.nextInt(TOKENS.length);
        int last = rows == 33 && columns <= 257 ? TOKENS.length : first + 1;
        for (int tokens : Arrays.copyOfRange(TOKENS, first, last)) {
          try (KernelCase one = new KernelCase(format, rows, columns, tokens).random(random)) {
            compare(one, 1 + random.nextInt(4));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void moreTokensThanShareAPanelAgree(WeightFormat format, Random random) {
    int columns = format.blockElements() == 1 ? 260 : 2 * format.blockElements();
    try (KernelCase one = new KernelCase(format, 7, columns, 521).random(random)) {
      compare(one, 2);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
  void theLargestSumsAgree(WeightFormat format) {
    for (int bytes : new int[] {0x00, 0xff, 0x80, 0x7f, 0x55}) {
      for (int tokens : new int[] {1, 9}) {
        try (KernelCase one = new KernelCase(format, 33, 256, tokens)) {
          one.fill(1, at -> one.file.set(ValueLayout.JAVA_BYTE, at, (byte) bytes));
          scales(one, 0x3c00);
          for (int token = 0; token < tokens; token++) {
            for (int k = 0; k < 256; k++) {
              one.x(token, k, token % 3 == 0 || (token % 3 == 1 && k % 2 == 0) ? 127 : -127);
            }
          }
          compare(one, 1);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
  void extremeScalesAndActivationsAgree(WeightFormat format, Random random) {
    for (int half : HALVES) {
      for (int tokens : new int[] {1, 5, 12}) {
        try (KernelCase one = new KernelCase(format, 33, 256, tokens).random(random)) {
          scales(one, half);
          for (int token = 0; token < tokens; token++) {
            float largest = ACTIVATIONS[random.nextInt(ACTIVATIONS.length)];
            for (int k = 0; k < 256; k++) {
              one.x(token, k, largest * (random.nextInt(255) - 127) / 127);
            }
            one.x(token, random.nextInt(256), ACTIVATIONS[random.nextInt(ACTIVATIONS.length)]);
          }
          compare(one, 2);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void infiniteAndMissingActivationsAgree(WeightFormat format, Random random) {
    for (float strange : new float[] {Float.POSITIVE_INFINITY, -Float.MAX_VALUE, Float.NaN}) {
      for (int tokens : new int[] {1, 7}) {
        try (KernelCase one = new KernelCase(format, 5, 256, tokens).random(random)) {
          for (int token = 0; token < tokens; token++) {
            one.x(token, random.nextInt(256), strange);
          }
          compare(one, 1);
        }
      }
    }
  }

  /// Sets every d and dmin.
  private static void scales(KernelCase one, int half) {
    WeightFormat format = one.format;
    one.fill(
        format.blockBytes(),
        at -> {
          one.file.set(
              KernelCase.SHORT, at + (format == WeightFormat.Q6_K ? 208 : 0), (short) half);
          if (format == WeightFormat.Q4_K || format == WeightFormat.Q5_K) {
            one.file.set(KernelCase.SHORT, at + 2, (short) half);
          }
        });
  }

  private void compare(KernelCase one, int tiles) {
    float[] expected = one.multiply(scalar, 1);
    for (MatrixKernels tier : tiers) {
      assertThat(one.multiply(tier, tiles))
          .as("%s, %d rows, %d columns, %d tokens", tier.name(), one.rows, one.columns, one.tokens)
          .isEqualTo(expected);
    }
  }

  private static int[] columns(WeightFormat format) {
    if (format.blockElements() == 1) {
      return SIZES;
    }
    return Arrays.stream(BLOCKS).map(blocks -> blocks * format.blockElements()).toArray();
  }
}
