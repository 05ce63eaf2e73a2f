package moxin.infer.assembly;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import moxin.infer.kernel.WeightFormat;

/// Quantised products straight from the contract of [moxin.infer.kernel.MatrixKernels] and from the
/// file formats, one element at a time.
final class Oracle {
  private static final int BLOCK = 32;

  private Oracle() {}

  /// Quantised activations: bytes, and a scale for each block of 32.
  record Input(byte[] bytes, float[] scales) {

    static Input of(float[] x) {
      byte[] bytes = new byte[x.length];
      float[] scales = new float[x.length / BLOCK];
      for (int b = 0; b < scales.length; b++) {
        float max = 0;
        for (int i = 0; i < BLOCK; i++) {
          max = Math.max(max, Math.abs(x[b * BLOCK + i]));
        }
        scales[b] = max / 127f;
        float inverse = 1f / scales[b];
        if (scales[b] == 0 || !Float.isFinite(inverse)) {
          continue;
        }
        for (int i = 0; i < BLOCK; i++) {
          bytes[b * BLOCK + i] = (byte) Math.rint(x[b * BLOCK + i] * inverse);
        }
      }
      return new Input(bytes, scales);
    }

    int sum(int block) {
      int sum = 0;
      for (int i = 0; i < BLOCK; i++) {
        sum += bytes[block * BLOCK + i];
      }
      return sum;
    }
  }

  /// One row of weights: integers without offset, a scale per `group` columns, minimums per 32.
  record Row(int group, int[] weights, float[] scales, float[] minimums) {

    float times(Input input) {
      float y = 0;
      for (int g = 0; g < scales.length; g++) {
        int block = g * group / BLOCK;
        float s = input.scales()[block];
        int dot = 0;
        for (int k = g * group; k < (g + 1) * group; k++) {
          dot += weights[k] * input.bytes()[k];
        }
        y = Math.fma((float) dot, scales[g] * s, y);
        if (minimums.length > 0) {
          y = Math.fma(-minimums[g], s * input.sum(block), y);
        }
      }
      return y;
    }
  }

  /// Reads a row as its format stores it.
  static Row row(WeightFormat format, byte[] row) {
    ByteBuffer in = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
    int units = row.length / format.blockBytes();
    int columns = units * format.blockElements();
    int group = format == WeightFormat.Q6_K ? 16 : BLOCK;
    boolean hasMinimums = format == WeightFormat.Q4_K || format == WeightFormat.Q5_K;
    int[] q = new int[columns];
    float[] scales = new float[columns / group];
    float[] minimums = new float[hasMinimums ? scales.length : 0];
    for (int u = 0; u < units; u++) {
      int at = u * format.blockBytes();
      switch (format) {
        case Q8_0 -> {
          scales[u] = half(in, at);
          for (int i = 0; i < BLOCK; i++) {
            q[u * BLOCK + i] = in.get(at + 2 + i);
          }
        }
        case Q4_0 -> {
          scales[u] = half(in, at);
          for (int i = 0; i < BLOCK; i++) {
            int pair = in.get(at + 2 + i % 16) & 0xFF;
            q[u * BLOCK + i] = (i < 16 ? pair & 15 : pair >> 4) - 8;
          }
        }
        case Q4_K, Q5_K -> unit45(format, in, at, u, q, scales, minimums);
        case Q6_K -> unit6(in, at, u, q, scales);
        case F32, BF16 -> throw new IllegalArgumentException("not quantised");
      }
    }
    return new Row(group, q, scales, minimums);
  }

  private static void unit45(
      WeightFormat format,
      ByteBuffer in,
      int at,
      int u,
      int[] q,
      float[] scales,
      float[] minimums) {
    for (int b = 0; b < 8; b++) {
      int scale;
      int minimum;
      if (b < 4) {
        scale = in.get(at + 4 + b) & 63;
        minimum = in.get(at + 8 + b) & 63;
      } else {
        int last = in.get(at + 8 + b) & 0xFF;
        scale = (last & 15) | ((in.get(at + b) & 0xC0) >> 2);
        minimum = (last >> 4) | ((in.get(at + 4 + b) & 0xC0) >> 2);
      }
      scales[8 * u + b] = half(in, at) * scale;
      minimums[8 * u + b] = half(in, at + 2) * minimum;
    }
    int bits = at + 16;
    int nibbles = format == WeightFormat.Q5_K ? bits + 32 : bits;
    for (int i = 0; i < 256; i++) {
      int pair = in.get(nibbles + i / 64 * 32 + i % 32) & 0xFF;
      int value = i % 64 < 32 ? pair & 15 : pair >> 4;
      if (format == WeightFormat.Q5_K) {
        value |= ((in.get(bits + i % 32) >> (i / 32)) & 1) << 4;
      }
      q[256 * u + i] = value;
    }
  }

  private static void unit6(ByteBuffer in, int at, int u, int[] q, float[] scales) {
    for (int g = 0; g < 16; g++) {
      scales[16 * u + g] = half(in, at + 208) * in.get(at + 192 + g);
    }
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int l = i % 128;
      int pair = in.get(at + 64 * half + l % 64) & 0xFF;
      int upper = (in.get(at + 128 + 32 * half + l % 32) >> (2 * (l / 32))) & 3;
      q[256 * u + i] = ((l < 64 ? pair & 15 : pair >> 4) | (upper << 4)) - 32;
    }
  }

  private static float half(ByteBuffer in, int at) {
    return Float.float16ToFloat(in.getShort(at));
  }
}
