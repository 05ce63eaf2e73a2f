package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Vectors of fp32 loaded from and stored to native memory that holds fp32 or bf16, and the few
/// functions on them.
///
/// Everything here gives the same bits whether interpreted or compiled, on which resuming a run bit
/// for bit depends: sums over lanes are added one by one, since `reduceLanes` may add in any order,
/// and [#exp] is made of multiplications and additions, since the library's differs between tiers.
@SuppressWarnings("restricted") // reads and writes the memory of native tensors
final class VectorMemory {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));
  static final int LANES = FLOATS.length();

  /// All memory of the process: kernels address it absolutely, within tensors whose sizes their
  /// callers have checked.
  static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  private static final float LOG2_E = (float) 1.4426950408889634;
  private static final float LN2_HIGH = (float) 0.693359375;
  private static final float LN2_LOW = (float) -2.12194440e-4;
  private static final float ROUNDER = 0x1.8p23f;
  private static final float LEAST_EXPONENT = -87f;
  private static final float GREATEST_EXPONENT = 88f;

  private VectorMemory() {}

  static int bytes(boolean bf16) {
    return bf16 ? Short.BYTES : Float.BYTES;
  }

  /// Elements `[i, i + LANES)` of the array at `base`, zeros from `end` on.
  static FloatVector load(boolean bf16, long base, int i, int end) {
    if (bf16) {
      long at = base + 2L * i;
      ShortVector bits =
          i + LANES <= end
              ? ShortVector.fromMemorySegment(SHORTS, MEMORY, at, ORDER)
              : ShortVector.fromMemorySegment(
                  SHORTS, MEMORY, at, ORDER, SHORTS.indexInRange(i, end));
      IntVector wide = (IntVector) bits.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
      return wide.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }
    long at = base + 4L * i;
    return i + LANES <= end
        ? FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER)
        : FloatVector.fromMemorySegment(FLOATS, MEMORY, at, ORDER, FLOATS.indexInRange(i, end));
  }

  /// Stores the lanes before `end` as elements `[i, i + LANES)` of the array at `base`; bf16 is
  /// rounded to nearest, ties to even.
  static void store(boolean bf16, long base, int i, int end, FloatVector x) {
    if (bf16) {
      long at = base + 2L * i;
      IntVector bits = x.reinterpretAsInts();
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector high = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
      ShortVector narrow = (ShortVector) high.convertShape(VectorOperators.I2S, SHORTS, 0);
      if (i + LANES <= end) {
        narrow.intoMemorySegment(MEMORY, at, ORDER);
      } else {
        narrow.intoMemorySegment(MEMORY, at, ORDER, SHORTS.indexInRange(i, end));
      }
      return;
    }
    long at = base + 4L * i;
    if (i + LANES <= end) {
      x.intoMemorySegment(MEMORY, at, ORDER);
    } else {
      x.intoMemorySegment(MEMORY, at, ORDER, FLOATS.indexInRange(i, end));
    }
  }

  static float loadOne(boolean bf16, long base, int i) {
    return bf16
        ? Float.intBitsToFloat(MEMORY.get(SHORT, base + 2L * i) << 16)
        : MEMORY.get(FLOAT, base + 4L * i);
  }

  static void storeOne(boolean bf16, long base, int i, float x) {
    if (bf16) {
      int bits = Float.floatToRawIntBits(x);
      MEMORY.set(SHORT, base + 2L * i, (short) ((bits + ((bits >>> 16) & 1) + 0x7FFF) >>> 16));
    } else {
      MEMORY.set(FLOAT, base + 4L * i, x);
    }
  }

  /// eˣ to about one unit in the last place, by Cephes' `expf`; x is clamped to [−87, 88].
  static FloatVector exp(FloatVector x) {
    FloatVector clamped = x.max(LEAST_EXPONENT).min(GREATEST_EXPONENT);
    FloatVector rounder = FloatVector.broadcast(FLOATS, ROUNDER);
    FloatVector shifted = clamped.fma(FloatVector.broadcast(FLOATS, LOG2_E), rounder);
    FloatVector n = shifted.sub(rounder);
    FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -LN2_HIGH), clamped);
    r = n.fma(FloatVector.broadcast(FLOATS, -LN2_LOW), r);
    FloatVector p = FloatVector.broadcast(FLOATS, (float) 1.9875691500e-4);
    p = p.fma(r, FloatVector.broadcast(FLOATS, (float) 1.3981999507e-3));
    p = p.fma(r, FloatVector.broadcast(FLOATS, (float) 8.3334519073e-3));
    p = p.fma(r, FloatVector.broadcast(FLOATS, (float) 4.1665795894e-2));
    p = p.fma(r, FloatVector.broadcast(FLOATS, (float) 1.6666665459e-1));
    p = p.fma(r, FloatVector.broadcast(FLOATS, (float) 5.0000001201e-1));
    FloatVector y = p.fma(r.mul(r), r).add(1f);
    IntVector exponent =
        shifted
            .reinterpretAsInts()
            .sub(Float.floatToRawIntBits(ROUNDER))
            .lanewise(VectorOperators.LSHL, 23);
    return y.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  /// 1 / (1 + e⁻ˣ).
  static FloatVector sigmoid(FloatVector x) {
    return FloatVector.broadcast(FLOATS, 1f).div(exp(x.neg()).add(1f));
  }

  /// The sum of the lanes from the first to the last, in float64.
  static double sum(FloatVector x, float[] scratch) {
    return sum(x, scratch, 0);
  }

  /// As [#sum], with the scratch room beginning at `at`.
  static double sum(FloatVector x, float[] scratch, int at) {
    x.intoArray(scratch, at);
    double sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += scratch[at + lane];
    }
    return sum;
  }

  /// Sets `count` elements to zero.
  static void zero(boolean bf16, long base, int from, int to) {
    if (to > from) {
      long size = bytes(bf16);
      MEMORY.asSlice(base + size * from, size * (to - from)).fill((byte) 0);
    }
  }

  /// Lanes whose element index, counted from `i`, is within `[from, to]`.
  static VectorMask<Float> within(FloatVector laneIndex, int i, int from, int to) {
    return laneIndex
        .compare(VectorOperators.GE, from - i)
        .and(laneIndex.compare(VectorOperators.LE, to - i));
  }
}
