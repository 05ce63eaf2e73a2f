package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import moxin.model.DType;

/// Q8_0: an f16 d, then 32 signed bytes. w = d · q.
final class BlockQ80 extends BlockFormat {
  static final BlockQ80 INSTANCE = new BlockQ80();

  private static final int ELEMENTS = 32;

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
}
