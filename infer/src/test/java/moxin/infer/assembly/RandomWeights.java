package moxin.infer.assembly;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import moxin.infer.kernel.WeightFormat;

/// Rows in a format with any bytes and finite scales: common, zero, negative and subnormal.
final class RandomWeights {
  private RandomWeights() {}

  static byte[][] rows(WeightFormat format, int rows, int units, Random random) {
    byte[][] result = new byte[rows][];
    for (int r = 0; r < rows; r++) {
      result[r] = row(format, units, r % 5, random);
    }
    return result;
  }

  /// @param kind 3 and 4 repeat one extreme byte, the others are random
  private static byte[] row(WeightFormat format, int units, int kind, Random random) {
    byte[] row = new byte[units * format.blockBytes()];
    random.nextBytes(row);
    if (kind >= 3) {
      byte[] extremes = {-128, 127, 0, -1, (byte) 0x88, 0x77};
      java.util.Arrays.fill(row, extremes[random.nextInt(extremes.length)]);
    }
    ByteBuffer out = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
    for (int u = 0; u < units; u++) {
      int at = u * format.blockBytes();
      switch (format) {
        case Q8_0, Q4_0 -> out.putShort(at, scale(random));
        case Q4_K, Q5_K -> {
          out.putShort(at, scale(random));
          out.putShort(at + 2, scale(random));
        }
        case Q6_K -> out.putShort(at + 208, scale(random));
        case F32, BF16 -> throw new IllegalArgumentException("not quantised");
      }
    }
    return row;
  }

  private static short scale(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> 0;
      case 1 -> (short) random.nextInt(1, 0x400);
      case 2 -> (short) (0x8000 | random.nextInt(1, 0x400));
      case 3 -> Float.floatToFloat16(65504f);
      default -> Float.floatToFloat16((float) random.nextGaussian() * 0.02f);
    };
  }

  /// Activations: most blocks normal, some all zero, tiny, huge, or of one extreme value.
  static float[] activations(int columns, Random random) {
    float[] x = new float[columns];
    for (int b = 0; b < columns; b += 32) {
      float scale =
          switch (random.nextInt(10)) {
            case 0 -> 0f;
            case 1 -> Float.MIN_VALUE * 3;
            case 2 -> 1e-38f;
            case 3 -> 1e20f;
            default -> 1f;
          };
      boolean isFlat = random.nextInt(6) == 0;
      for (int k = b; k < Math.min(columns, b + 32); k++) {
        x[k] = scale * (isFlat ? -1f : (float) random.nextGaussian());
      }
    }
    return x;
  }
}
