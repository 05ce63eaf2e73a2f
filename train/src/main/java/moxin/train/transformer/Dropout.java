package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moxin.job.SplitMix64;
import moxin.model.DType;
import moxin.torch.Tensor;

/// Dropout (Srivastava et al. 2014) whose mask is a function of a key and an element's place, as
/// with counter-based generators (Salmon et al. 2011): no mask is kept, and whoever computes again,
/// after recomputation or a resumption, on however many threads, sees the same one. Immutable.
///
/// The probability is rounded to a multiple of 2⁻¹⁶, and what stays is divided by what is left of
/// one, so that the expectation is that of no dropout.
final class Dropout {
  private static final int RANGE = 1 << 16;

  private final int threshold;
  private final float factor;
  private final long key;

  /// @param probability that an element is dropped, in [0, 1)
  Dropout(double probability, long key) {
    if (!(probability >= 0 && probability < 1)) {
      throw new IllegalArgumentException("dropout must be in [0, 1), found " + probability);
    }
    this.threshold = (int) Math.min(RANGE - 1, Math.round(probability * RANGE));
    this.factor = RANGE / (float) (RANGE - threshold);
    this.key = key;
  }

  private Dropout(Dropout other, long key) {
    this.threshold = other.threshold;
    this.factor = other.factor;
    this.key = key;
  }

  /// Whether nothing is ever dropped.
  boolean isNone() {
    return threshold == 0;
  }

  /// The same probability with the key of part `index`.
  Dropout of(long index) {
    return new Dropout(this, SplitMix64.mix(key + SplitMix64.GOLDEN * (index + 1)));
  }

  /// A new tensor like `x` on the host, in fp32 or bf16, with elements dropped.
  Tensor drop(Tensor x) {
    Tensor dropped = Tensor.empty(x.type(), x.device(), x.shape());
    MemorySegment from = x.data();
    MemorySegment to = dropped.data();
    boolean bf16 = x.type() == DType.BF16;
    long size = x.elements();
    for (long i = 0; i < size; i += 4) {
      long bits = SplitMix64.mix(key + SplitMix64.GOLDEN * i);
      for (long j = i; j < Math.min(size, i + 4); j++, bits >>>= 16) {
        store(bf16, to, j, kept(bits) ? factor * load(bf16, from, j) : 0);
      }
    }
    return dropped;
  }

  /// Adds to `sum` the elements of `x`, of the same shape, that [#drop] keeps at their places.
  void add(Tensor sum, Tensor x) {
    MemorySegment from = x.data();
    MemorySegment to = sum.data();
    boolean bf16 = x.type() == DType.BF16;
    long size = x.elements();
    for (long i = 0; i < size; i += 4) {
      long bits = SplitMix64.mix(key + SplitMix64.GOLDEN * i);
      for (long j = i; j < Math.min(size, i + 4); j++, bits >>>= 16) {
        if (kept(bits)) {
          store(bf16, to, j, load(bf16, to, j) + factor * load(bf16, from, j));
        }
      }
    }
  }

  private boolean kept(long bits) {
    return (bits & (RANGE - 1)) >= threshold;
  }

  private static float load(boolean bf16, MemorySegment memory, long index) {
    return bf16
        ? Float.intBitsToFloat(memory.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16)
        : memory.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  /// Rounds to nearest, ties to even.
  private static void store(boolean bf16, MemorySegment memory, long index, float value) {
    if (bf16) {
      int bits = Float.floatToRawIntBits(value);
      int rounded = Float.isNaN(value) ? bits | 0x40_0000 : bits + 0x7fff + ((bits >>> 16) & 1);
      memory.setAtIndex(ValueLayout.JAVA_SHORT, index, (short) (rounded >>> 16));
    } else {
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
    }
  }
}
