package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q6_K: sixteen sub-blocks of 16 elements. 128 bytes of lower halves, 64 bytes of upper two bits,
/// 16 signed scales, an f16 d. Each half of 128 elements has four runs of 32: run r takes its lower
/// halves from bytes 32 (r mod 2) on, from their lower four bits if r < 2 and else their upper
/// four, and its upper bits from bits 2r and 2r + 1. w = d · scale · (q − 32).
final class BlockQ6K extends BlockFormat {
  static final BlockQ6K INSTANCE = new BlockQ6K();

  private static final int ELEMENTS = 256;
  private static final int RUN = 32;
  private static final int SUB = 16;
  private static final int ZERO = 32;
  private static final int LEAST_SCALE = -128;
  private static final int GREATEST_SCALE = 127;
  private static final int HIGH_AT = 128;
  private static final int SCALES_AT = 192;
  private static final int D_AT = 208;

  private BlockQ6K() {
    super(DType.Q6_K);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset + D_AT);
    for (int i = 0; i < ELEMENTS; i += RUN) {
      long low = offset + lowAt(i);
      long high = offset + highAt(i);
      int run = i / RUN % 4;
      int lowShift = run / 2 * 4;
      int highShift = run * 2;
      for (int l = 0; l < RUN; l++) {
        float scale = d * data.get(BYTE, offset + SCALES_AT + (i + l) / SUB);
        int q =
            ((u8(data, low + l) >> lowShift) & 15) | (((u8(data, high + l) >> highShift) & 3) << 4);
        target[at + i + l] = scale * (q - ZERO);
      }
    }
  }

  /// Where the lower halves of the run that begins with element `i` are.
  private static int lowAt(int i) {
    return i / 128 * 64 + i / RUN % 2 * RUN;
  }

  private static int highAt(int i) {
    return HIGH_AT + i / 128 * RUN;
  }

  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    float[] scales = scales(row, at, importance);
    float extreme = 0;
    for (float scale : scales) {
      if (Math.abs(scale) > Math.abs(extreme)) {
        extreme = scale;
      }
    }
    short unit = Float.floatToFloat16(extreme / LEAST_SCALE);
    float d = Float.float16ToFloat(unit);
    target.asSlice(offset, type().blockByteSize()).fill((byte) 0);
    target.set(F16, offset + D_AT, unit);
    for (int sub = 0; sub < scales.length; sub++) {
      int number =
          d == 0 ? 0 : (int) Math.clamp(Math.rint(scales[sub] / d), LEAST_SCALE, GREATEST_SCALE);
      put(target, offset + SCALES_AT + sub, number);
      float scale = d * number;
      for (int i = sub * SUB; i < (sub + 1) * SUB; i++) {
        int level =
            scale == 0 ? 0 : (int) Math.clamp(Math.rint(row[at + i] / scale), -ZERO, ZERO - 1);
        putLevel(target, offset, i, level + ZERO);
      }
    }
  }

  private static float[] scales(float[] row, int at, float @Nullable [] importance) {
    float[] scales = new float[ELEMENTS / SUB];
    double[] weights = new double[SUB];
    SymmetricFit fit = new SymmetricFit(SUB, ZERO);
    for (int sub = 0; sub < scales.length; sub++) {
      if (importance == null) {
        Weights.squares(row, at + sub * SUB, weights);
      } else {
        Weights.importance(importance, at + sub * SUB, weights);
      }
      scales[sub] = fit.fit(row, at + sub * SUB, weights);
    }
    return scales;
  }

  private static void putLevel(MemorySegment target, long offset, int i, int level) {
    int run = i / RUN % 4;
    long low = offset + lowAt(i) + i % RUN;
    long high = offset + highAt(i) + i % RUN;
    put(target, low, u8(target, low) | ((level & 15) << (run / 2 * 4)));
    put(target, high, u8(target, high) | ((level >> 4) << (run * 2)));
  }
}
