package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.LINE;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.INTS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Two tiles × up to 256 columns of quantised weights, unpacked for many tokens: signed 16-bit
/// integers that fit the L1 cache, and fp32 scales. Of one thread.
final class VectorPanel {

  /// Rows of a panel: two tiles.
  static final int ROWS = 2 * MatrixKernels.TILE;

  /// Columns of a panel, unless fewer are left.
  static final int COLUMNS = 256;

  /// 2^112, which turns the bits of an f16 moved to an fp32's place into its value, exactly.
  static final float HALF_TO_FLOAT = Float.intBitsToFloat((127 + 112) << 23);

  /// Sign and, 3 bits below it, the 15 other bits of an f16 in its place in an fp32.
  static final int HALF_BITS = 0x8fffe000;

  /// The bits of 65536, from which on what [#HALF_TO_FLOAT] makes stands for infinity or a NaN,
  /// which setting the bits of [#INFINITE] turns it into.
  static final int TOO_LARGE = Float.floatToRawIntBits(65536);

  /// The bits of an fp32's exponent.
  static final int INFINITE = 0x7f800000;

  /// All bits of an fp32 but the sign.
  static final int MAGNITUDE = 0x7fffffff;

  /// Weights: column k from short `k · ROWS`; each tile's rows in the order of a line.
  final short[] weights = new short[COLUMNS * ROWS];

  /// Scales of each group of columns with one scale, rows in their natural order.
  final float[] scales = new float[COLUMNS / 16 * ROWS];

  /// Negated minima of each block of 32 columns, likewise.
  final float[] minima = new float[COLUMNS / BLOCK * ROWS];

  private final float[] half = new float[MatrixKernels.TILE];
  private final float[] halfMinimum = new float[MatrixKernels.TILE];

  /// Unpacks `columns` columns from byte `at` of `data` as the first or second tile (`rows` 0 or
  /// 32).
  void unpack(WeightFormat format, MemorySegment data, long at, int columns, int rows) {
    int unitElements = VectorLayout.unitElements(format);
    int blockBytes = VectorLayout.blockBytes(format);
    for (int k = 0; k < columns; k += unitElements) {
      if (format == WeightFormat.Q6_K) {
        halves(data, at, half, 0);
      } else if (format == WeightFormat.Q4_K || format == WeightFormat.Q5_K) {
        halves(data, at, half, 0);
        halves(data, at + LINE, halfMinimum, 0);
      }
      at += VectorLayout.headerBytes(format);
      for (int block = k / BLOCK; block < (k + unitElements) / BLOCK; block++, at += blockBytes) {
        int to = block * BLOCK * ROWS + rows;
        switch (format) {
          case F32, BF16 -> throw new IllegalArgumentException(format + " is not quantised");
          case Q8_0 -> {
            halves(data, at, scales, block * ROWS + rows);
            bytes(data, at + LINE, to);
          }
          case Q4_0 -> {
            halves(data, at, scales, block * ROWS + rows);
            nibbles(data, at + LINE, to, (short) 8);
          }
          case Q4_K -> {
            scalesAndMinima(data, at, block * ROWS + rows);
            nibbles(data, at + LINE, to, (short) 8);
          }
          case Q5_K -> {
            scalesAndMinima(data, at, block * ROWS + rows);
            nibbles(data, at + LINE, to, (short) 16);
            fifthBits(data, at + 9 * LINE, to);
          }
          case Q6_K -> {
            pairOfScales(data, at, 2 * block * ROWS + rows);
            nibbles(data, at + LINE, to, (short) 32);
            bitPairs(data, at + 9 * LINE, to);
          }
        }
      }
    }
  }

  /// The f16 numbers of a line as fp32, rows in their natural order.
  private static void halves(MemorySegment data, long at, float[] target, int to) {
    for (int row = 0; row < LINE / 4; row += LANES) {
      IntVector pair = IntVector.fromMemorySegment(INTS, data, at + 4L * row, ORDER);
      half(pair.lanewise(VectorOperators.LSHL, 16)).intoArray(target, to + row);
      half(pair).intoArray(target, to + row + LINE / 4);
    }
  }

  /// The f16 in the upper halves of `bits` as fp32.
  private static FloatVector half(IntVector bits) {
    FloatVector value =
        bits.lanewise(VectorOperators.ASHR, 3)
            .and(HALF_BITS)
            .reinterpretAsFloats()
            .mul(HALF_TO_FLOAT);
    IntVector sized = value.reinterpretAsInts().and(MAGNITUDE);
    return value
        .reinterpretAsInts()
        .lanewise(VectorOperators.OR, INFINITE, sized.compare(VectorOperators.GE, TOO_LARGE))
        .reinterpretAsFloats();
  }

  private void scalesAndMinima(MemorySegment data, long at, int to) {
    for (int row = 0; row < LINE / 4; row += LANES) {
      IntVector pair = IntVector.fromMemorySegment(INTS, data, at + 4L * row, ORDER);
      for (int upper = 0; upper < 2; upper++) {
        int index = row + upper * LINE / 4;
        IntVector scale = pair.lanewise(VectorOperators.LSHR, 16 * upper).and(63);
        IntVector minimum = pair.lanewise(VectorOperators.LSHR, 16 * upper + 8).and(63);
        ((FloatVector) scale.castShape(FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, half, index))
            .intoArray(scales, to + index);
        ((FloatVector) minimum.castShape(FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, halfMinimum, index))
            .neg()
            .intoArray(minima, to + index);
      }
    }
  }

  private void pairOfScales(MemorySegment data, long at, int to) {
    for (int row = 0; row < LINE / 4; row += LANES) {
      IntVector pair = IntVector.fromMemorySegment(INTS, data, at + 4L * row, ORDER);
      for (int part = 0; part < 4; part++) {
        int index = row + part / 2 * LINE / 4;
        IntVector scale =
            pair.lanewise(VectorOperators.LSHL, 24 - 8 * part).lanewise(VectorOperators.ASHR, 24);
        ((FloatVector) scale.castShape(FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, half, index))
            .intoArray(scales, to + part % 2 * ROWS + index);
      }
    }
  }

  private void bytes(MemorySegment data, long at, int to) {
    for (int line = 0; line < 16; line++, to += 2 * ROWS) {
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector pair =
            ShortVector.fromMemorySegment(SHORTS, data, at + (long) line * LINE + 2L * i, ORDER);
        pair.lanewise(VectorOperators.LSHL, 8)
            .lanewise(VectorOperators.ASHR, 8)
            .intoArray(weights, to + i);
        pair.lanewise(VectorOperators.ASHR, 8).intoArray(weights, to + ROWS + i);
      }
    }
  }

  private void nibbles(MemorySegment data, long at, int to, short centre) {
    for (int line = 0; line < 8; line++, to += 4 * ROWS) {
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector four =
            ShortVector.fromMemorySegment(SHORTS, data, at + (long) line * LINE + 2L * i, ORDER);
        four.and((short) 15).sub(centre).intoArray(weights, to + i);
        four.lanewise(VectorOperators.LSHR, 4)
            .and((short) 15)
            .sub(centre)
            .intoArray(weights, to + ROWS + i);
        four.lanewise(VectorOperators.LSHR, 8)
            .and((short) 15)
            .sub(centre)
            .intoArray(weights, to + 2 * ROWS + i);
        four.lanewise(VectorOperators.LSHR, 12).sub(centre).intoArray(weights, to + 3 * ROWS + i);
      }
    }
  }

  private void fifthBits(MemorySegment data, long at, int to) {
    for (int k = 0; k < BLOCK; k++, to += ROWS) {
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector bits =
            ShortVector.fromMemorySegment(SHORTS, data, at + k / 16 * (long) LINE + 2L * i, ORDER);
        bits.lanewise(VectorOperators.LSHR, k % 16)
            .and((short) 1)
            .lanewise(VectorOperators.LSHL, 4)
            .add(ShortVector.fromArray(SHORTS, weights, to + i))
            .intoArray(weights, to + i);
      }
    }
  }

  private void bitPairs(MemorySegment data, long at, int to) {
    for (int k = 0; k < BLOCK; k++, to += ROWS) {
      int shift = k % 8 * 2;
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector bits =
            ShortVector.fromMemorySegment(SHORTS, data, at + k / 8 * (long) LINE + 2L * i, ORDER);
        bits.lanewise(VectorOperators.LSHR, shift)
            .and((short) 3)
            .lanewise(VectorOperators.LSHL, 4)
            .add(ShortVector.fromArray(SHORTS, weights, to + i))
            .intoArray(weights, to + i);
      }
    }
  }
}
