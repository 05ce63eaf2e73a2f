package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Rearranges rows as files store them into the tiles that [VectorLayout] describes.
final class VectorPacking {

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long LINE = VectorLayout.LINE;

  /// Columns of a row packed before the next row's: few enough that a tile's stay in the L1 cache.
  private static final int BLOCK = VectorLayout.BLOCK;

  private VectorPacking() {}

  /// Packs tile `tile`.
  static void pack(PackedMatrix target, int tile, RowSource source) {
    WeightFormat format = target.format();
    long tileBytes = VectorLayout.tileBytes(format, target.columns());
    MemorySegment data = target.data().asSlice(tile * tileBytes, tileBytes);
    int first = tile * MatrixKernels.TILE;
    int present = Math.min(MatrixKernels.TILE, target.rows() - first);
    if (present < MatrixKernels.TILE) {
      data.fill((byte) 0);
    }
    MemorySegment[] rows = new MemorySegment[present];
    for (int row = 0; row < present; row++) {
      rows[row] = source.row(first + row);
    }
    int units = target.columns() / VectorLayout.unitElements(format);
    int step = Math.max(1, BLOCK / VectorLayout.unitElements(format));
    for (int unit = 0; unit < units; unit += step) {
      for (int row = 0; row < present; row++) {
        packUnits(format, rows[row], data, row, unit, Math.min(unit + step, units));
      }
    }
  }

  private static void packUnits(
      WeightFormat format, MemorySegment row, MemorySegment data, int index, int from, int to) {
    int unitBytes = VectorLayout.unitBytes(format);
    int offset = format == WeightFormat.F32 ? 4 * index : 4 * (index % 16) + 2 * (index / 16);
    for (int unit = from; unit < to; unit++) {
      long at = (long) unit * unitBytes + offset;
      long source = (long) unit * format.blockBytes();
      switch (format) {
        case F32 -> data.set(INT, at, row.get(INT, source));
        case BF16 -> data.set(SHORT, at, row.get(SHORT, source));
        case Q8_0 -> copyLines(row, source, data, at, 17);
        case Q4_0 -> {
          copyLines(row, source, data, at, 1);
          packQ4(row, source + 2, data, at + LINE);
        }
        case Q4_K -> packFourBits(row, source, source + 16, data, at, format);
        case Q5_K -> {
          packFourBits(row, source, source + 48, data, at, format);
          packFifthBits(row, source + 16, data, at);
        }
        case Q6_K -> packSixBits(row, source, data, at);
      }
    }
  }

  private static void copyLines(
      MemorySegment row, long from, MemorySegment data, long at, int lines) {
    for (int line = 0; line < lines; line++) {
      data.set(SHORT, at + line * LINE, row.get(SHORT, from + 2L * line));
    }
  }

  private static void packQ4(MemorySegment row, long from, MemorySegment data, long at) {
    for (int line = 0; line < 4; line++) {
      int pairs = row.get(INT, from + 4L * line);
      data.set(SHORT, at + line * LINE, nibbles(pairs));
      data.set(SHORT, at + (line + 4) * LINE, nibbles(pairs >>> 4));
    }
  }

  /// The lower nibbles of 4 bytes side by side.
  private static short nibbles(int bytes) {
    int low = bytes & 0x0f0f0f0f;
    int pairs = low | low >>> 4;
    return (short) ((pairs & 0xff) | ((pairs >>> 8) & 0xff00));
  }

  private static void packFourBits(
      MemorySegment row,
      long from,
      long nibbles,
      MemorySegment data,
      long at,
      WeightFormat format) {
    copyLines(row, from, data, at, 2);
    int blockBytes = VectorLayout.blockBytes(format);
    for (int block = 0; block < 8; block++) {
      long to = at + 2 * LINE + (long) block * blockBytes;
      int scale = WeightBlock.sixBitScale(row, from + 4, block);
      int minimum = WeightBlock.sixBitMinimum(row, from + 4, block);
      data.set(SHORT, to, (short) (scale | minimum << 8));
      int shift = block % 2 * 4;
      for (int line = 0; line < 8; line++) {
        int pairs = row.get(INT, nibbles + block / 2 * 32L + 4L * line);
        data.set(SHORT, to + (line + 1) * LINE, nibbles(pairs >>> shift));
      }
    }
  }

  private static void packFifthBits(MemorySegment row, long from, MemorySegment data, long at) {
    int blockBytes = VectorLayout.blockBytes(WeightFormat.Q5_K);
    for (int block = 0; block < 8; block++) {
      int bits = 0;
      for (int i = 0; i < 32; i++) {
        bits |= (row.get(BYTE, from + i) >>> block & 1) << i;
      }
      long to = at + 2 * LINE + (long) block * blockBytes + 9 * LINE;
      data.set(SHORT, to, (short) bits);
      data.set(SHORT, to + LINE, (short) (bits >>> 16));
    }
  }

  private static void packSixBits(MemorySegment row, long from, MemorySegment data, long at) {
    copyLines(row, from + 208, data, at, 1);
    for (int block = 0; block < 8; block++) {
      long to = at + LINE + (long) block * VectorLayout.blockBytes(WeightFormat.Q6_K);
      data.set(SHORT, to, row.get(SHORT, from + 192 + 2L * block));
      int quarter = block % 4;
      long low = from + 64L * (block / 4) + 32L * (quarter % 2);
      long high = from + 128 + 32L * (block / 4);
      for (int line = 0; line < 8; line++) {
        int pairs = row.get(INT, low + 4L * line) >>> (4 * (quarter / 2));
        data.set(SHORT, to + (line + 1) * LINE, nibbles(pairs));
      }
      for (int line = 0; line < 4; line++) {
        int bits =
            bitPairs(row.get(INT, high + 8L * line) >>> (2 * quarter))
                | bitPairs(row.get(INT, high + 8L * line + 4) >>> (2 * quarter)) << 8;
        data.set(SHORT, to + (line + 9) * LINE, (short) bits);
      }
    }
  }

  /// The lowest 2 bits of 4 bytes side by side.
  private static int bitPairs(int bytes) {
    int low = bytes & 0x03030303;
    int pairs = low | low >>> 6;
    return (pairs & 15) | ((pairs >>> 12) & 0xf0);
  }
}
