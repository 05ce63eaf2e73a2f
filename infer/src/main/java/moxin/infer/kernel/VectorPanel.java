package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.LINE;
import static moxin.infer.kernel.VectorMemory.ALL;
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

  /// Bytes of a column of weights.
  static final int LINES = 2 * ROWS;

  /// Bytes of a group's scales.
  private static final int SCALES = 4 * ROWS;

  private static final int GROUPS = COLUMNS / 16;

  private final MemorySegment memory =
      VectorMemory.scratch(COLUMNS * LINES + 2L * GROUPS * SCALES + SCALES);

  private final long weights = VectorMemory.address(memory.address());
  private final long scales = weights + (long) COLUMNS * LINES;
  private final long minima = scales + (long) GROUPS * SCALES;
  private final long half = minima + (long) GROUPS * SCALES;
  private final long halfMinimum = half + SCALES / 2;

  /// The address of a column of weights, [#LINES] bytes; each tile's rows in the order of a line.
  long weights(int column) {
    return weights + (long) column * LINES;
  }

  /// The address of the fp32 scales of a group of columns with one scale, rows in their natural
  /// order.
  long scales(int group) {
    return scales + (long) group * SCALES;
  }

  /// The address of the negated minima of a block of 32 columns, likewise.
  long minima(int block) {
    return minima + (long) block * SCALES;
  }

  /// Unpacks `columns` columns from address `at` on as the first or second tile (`rows` 0 or 32).
  void unpack(WeightFormat format, long at, int columns, int rows) {
    int unitElements = VectorLayout.unitElements(format);
    int blockBytes = VectorLayout.blockBytes(format);
    for (int k = 0; k < columns; k += unitElements) {
      if (format == WeightFormat.Q6_K) {
        halves(at, half);
      } else if (format == WeightFormat.Q4_K || format == WeightFormat.Q5_K) {
        halves(at, half);
        halves(at + LINE, halfMinimum);
      }
      at += VectorLayout.headerBytes(format);
      for (int block = k / BLOCK; block < (k + unitElements) / BLOCK; block++, at += blockBytes) {
        long to = weights(block * BLOCK) + 2L * rows;
        switch (format) {
          case F32, BF16 -> throw new IllegalArgumentException(format + " is not quantised");
          case Q8_0 -> {
            halves(at, scales(block) + 4L * rows);
            bytes(at + LINE, to);
          }
          case Q4_0 -> {
            halves(at, scales(block) + 4L * rows);
            nibbles(at + LINE, to, (short) 8);
          }
          case Q4_K -> {
            scalesAndMinima(at, block, rows);
            nibbles(at + LINE, to, (short) 8);
          }
          case Q5_K -> {
            scalesAndMinima(at, block, rows);
            nibbles(at + LINE, to, (short) 16);
            fifthBits(at + 9 * LINE, to);
          }
          case Q6_K -> {
            pairOfScales(at, block, rows);
            nibbles(at + LINE, to, (short) 32);
            bitPairs(at + 9 * LINE, to);
          }
        }
      }
    }
  }

  /// The f16 numbers of a line as fp32, rows in their natural order.
  private static void halves(long at, long to) {
    at = VectorMemory.address(at);
    to = VectorMemory.address(to);
    for (int row = 0; row < LINE / 4; row += LANES) {
      IntVector pair = IntVector.fromMemorySegment(INTS, ALL, at + 4L * (row & 15), ORDER);
      half(pair.lanewise(VectorOperators.LSHL, 16))
          .intoMemorySegment(ALL, to + 4L * (row & 15), ORDER);
      half(pair).intoMemorySegment(ALL, to + 4L * (row & 15) + LINE, ORDER);
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

  private void scalesAndMinima(long at, int block, int rows) {
    at = VectorMemory.address(at);
    for (int row = 0; row < LINE / 4; row += LANES) {
      IntVector pair = IntVector.fromMemorySegment(INTS, ALL, at + 4L * (row & 15), ORDER);
      for (int upper = 0; upper < 2; upper++) {
        int index = (row + upper * LINE / 4) & 31;
        IntVector scale = pair.lanewise(VectorOperators.LSHR, 16 * upper).and(63);
        IntVector minimum = pair.lanewise(VectorOperators.LSHR, 16 * upper + 8).and(63);
        ((FloatVector) scale.castShape(FLOATS, 0))
            .mul(FloatVector.fromMemorySegment(FLOATS, ALL, half + 4L * index, ORDER))
            .intoMemorySegment(ALL, scales(block) + 4L * (rows + index), ORDER);
        ((FloatVector) minimum.castShape(FLOATS, 0))
            .mul(FloatVector.fromMemorySegment(FLOATS, ALL, halfMinimum + 4L * index, ORDER))
            .neg()
            .intoMemorySegment(ALL, minima(block) + 4L * (rows + index), ORDER);
      }
    }
  }

  private void pairOfScales(long at, int block, int rows) {
    at = VectorMemory.address(at);
    for (int row = 0; row < LINE / 4; row += LANES) {
      IntVector pair = IntVector.fromMemorySegment(INTS, ALL, at + 4L * (row & 15), ORDER);
      for (int part = 0; part < 4; part++) {
        int index = (row + part / 2 * LINE / 4) & 31;
        IntVector scale =
            pair.lanewise(VectorOperators.LSHL, 24 - 8 * part).lanewise(VectorOperators.ASHR, 24);
        ((FloatVector) scale.castShape(FLOATS, 0))
            .mul(FloatVector.fromMemorySegment(FLOATS, ALL, half + 4L * index, ORDER))
            .intoMemorySegment(ALL, scales(2 * block + part % 2) + 4L * (rows + index), ORDER);
      }
    }
  }

  private static void bytes(long at, long to) {
    at = VectorMemory.address(at);
    to = VectorMemory.address(to);
    for (int line = 0; line < 16; line++) {
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector pair =
            ShortVector.fromMemorySegment(
                SHORTS, ALL, at + (line & 15L) * LINE + 2L * (i & 31), ORDER);
        pair.lanewise(VectorOperators.LSHL, 8)
            .lanewise(VectorOperators.ASHR, 8)
            .intoMemorySegment(ALL, to + 2L * LINES * (line & 15) + 2L * (i & 31), ORDER);
        pair.lanewise(VectorOperators.ASHR, 8)
            .intoMemorySegment(ALL, to + 2L * LINES * (line & 15) + LINES + 2L * (i & 31), ORDER);
      }
    }
  }

  private static void nibbles(long at, long to, short centre) {
    at = VectorMemory.address(at);
    to = VectorMemory.address(to);
    for (int line = 0; line < 8; line++) {
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector four =
            ShortVector.fromMemorySegment(
                SHORTS, ALL, at + (line & 15L) * LINE + 2L * (i & 31), ORDER);
        four.and((short) 15)
            .sub(centre)
            .intoMemorySegment(ALL, to + 4L * LINES * (line & 15) + 2L * (i & 31), ORDER);
        four.lanewise(VectorOperators.LSHR, 4)
            .and((short) 15)
            .sub(centre)
            .intoMemorySegment(ALL, to + 4L * LINES * (line & 15) + LINES + 2L * (i & 31), ORDER);
        four.lanewise(VectorOperators.LSHR, 8)
            .and((short) 15)
            .sub(centre)
            .intoMemorySegment(
                ALL, to + 4L * LINES * (line & 15) + 2 * LINES + 2L * (i & 31), ORDER);
        four.lanewise(VectorOperators.LSHR, 12)
            .sub(centre)
            .intoMemorySegment(
                ALL, to + 4L * LINES * (line & 15) + 3 * LINES + 2L * (i & 31), ORDER);
      }
    }
  }

  private static void fifthBits(long at, long to) {
    at = VectorMemory.address(at);
    to = VectorMemory.address(to);
    for (int k = 0; k < BLOCK; k++) {
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector bits =
            ShortVector.fromMemorySegment(
                SHORTS, ALL, at + (k & 31) / 16 * (long) LINE + 2L * (i & 31), ORDER);
        bits.lanewise(VectorOperators.LSHR, k % 16)
            .and((short) 1)
            .lanewise(VectorOperators.LSHL, 4)
            .add(
                ShortVector.fromMemorySegment(
                    SHORTS, ALL, to + (long) LINES * (k & 31) + 2L * (i & 31), ORDER))
            .intoMemorySegment(ALL, to + (long) LINES * (k & 31) + 2L * (i & 31), ORDER);
      }
    }
  }

  private static void bitPairs(long at, long to) {
    at = VectorMemory.address(at);
    to = VectorMemory.address(to);
    for (int k = 0; k < BLOCK; k++) {
      int shift = k % 8 * 2;
      for (int i = 0; i < LINE / 2; i += 2 * LANES) {
        ShortVector bits =
            ShortVector.fromMemorySegment(
                SHORTS, ALL, at + (k & 31) / 8 * (long) LINE + 2L * (i & 31), ORDER);
        bits.lanewise(VectorOperators.LSHR, shift)
            .and((short) 3)
            .lanewise(VectorOperators.LSHL, 4)
            .add(
                ShortVector.fromMemorySegment(
                    SHORTS, ALL, to + (long) LINES * (k & 31) + 2L * (i & 31), ORDER))
            .intoMemorySegment(ALL, to + (long) LINES * (k & 31) + 2L * (i & 31), ORDER);
      }
    }
  }
}
