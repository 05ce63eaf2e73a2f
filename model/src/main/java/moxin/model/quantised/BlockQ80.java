package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// Q8_0: an f16 d, then 32 signed bytes. w = d · q.
final class BlockQ80 extends BlockFormat {
  static final BlockQ80 INSTANCE = new BlockQ80();

  private static final int ELEMENTS = 32;
  private static final int TOP = 127;

  private BlockQ80() {
    super(DType.Q8_0);
  }

  @Override
  void dequantiseBlock(MemorySegment data, long offset, float[] target, int at) {
    float d = f16(data, offset);
    for (int j = 0; j < ELEMENTS; j++) {
      target[at + j] = data.get(BYTE, offset + 2 + j) * d;
    }
  }

  /// Eight bits leave nothing to gain from importance.
  @Override
  void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset) {
    float greatest = 0;
    for (int j = 0; j < ELEMENTS; j++) {
      greatest = Math.max(greatest, Math.abs(row[at + j]));
    }
    float d = greatest / TOP;
    float inverse = Rounding.inverse(d);
    target.set(F16, offset, Float.floatToFloat16(d));
    for (int j = 0; j < ELEMENTS; j++) {
      put(target, offset + 2 + j, Rounding.halvesAway(row[at + j] * inverse));
    }
  }
}
