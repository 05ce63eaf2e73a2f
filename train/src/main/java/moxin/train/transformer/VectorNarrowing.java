package moxin.train.transformer;

import jdk.incubator.vector.FloatVector;

/// fp32 arrays into native memory of the compute type.
final class VectorNarrowing {

  private VectorNarrowing() {}

  /// Writes `values[0, count)` to the array of fp32 or bf16 at `base`; bf16 is rounded to nearest,
  /// ties to even.
  static void store(float[] values, int count, boolean bf16, long base) {
    int i = 0;
    for (; i + VectorMemory.LANES <= count; i += VectorMemory.LANES) {
      FloatVector x = FloatVector.fromArray(VectorMemory.FLOATS, values, i);
      VectorMemory.store(bf16, base, i, count, x);
    }
    for (; i < count; i++) {
      VectorMemory.storeOne(bf16, base, i, values[i]);
    }
  }
}
