package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Memory.at;

/// Interleaves the blocks of 16 or 8 rows by 32-bit words, as [PackedUnit] says.
///
/// `void (rows, target, units, stride, offset)`: `rows` holds their addresses, `offset` is where
/// the first block begins in each row, `stride` how far apart packed units are.
///
/// @param rows 16, in registers of 64 bytes, or 8, in registers of 32
/// @param blocks blocks of a unit
/// @param blockBytes bytes of a row's block
/// @param half where in the block a lone f16 is, or −1
/// @param halfTarget where in the packed unit those of each block go
/// @param words where in the block its words begin
/// @param wordsTarget where in the packed unit they go
/// @param wordCount how many; a multiple of 4
/// @param mask what is added to each word without carry
/// @param wordStride how far apart the words of all rows are in the packed block
record PackKernel(
    int rows,
    int blocks,
    int blockBytes,
    int half,
    int halfTarget,
    int words,
    int wordsTarget,
    int wordCount,
    int mask,
    int wordStride) {
  /// Words that are transposed at once, and rows of 128 bits.
  private static final int LANES = 4;

  /// The number of the register that holds the mask.
  private static final int MASK = 15;

  static PackKernel of(PackedUnit unit) {
    int bytes = unit.format().blockBytes();
    int blocks = unit.formatBlocks();
    int rows = unit.rows();
    int scales = rows * Short.BYTES * blocks;
    int vector = rows * Integer.BYTES;
    int mask = unit.mask();
    return switch (unit.format()) {
      case Q8_0 -> new PackKernel(rows, blocks, bytes, 0, 0, 2, scales, 8, mask, vector);
      case Q4_0 -> new PackKernel(rows, blocks, bytes, 0, 0, 2, scales, 4, mask, vector);
      case Q4_K, Q5_K -> new PackKernel(rows, blocks, bytes, -1, 0, 0, 0, bytes / 4, mask, vector);
      case Q6_K -> {
        int words = bytes / 4;
        yield new PackKernel(
            rows, blocks, bytes, bytes - 2, words * vector, 0, 0, words, mask, vector);
      }
      case F32, BF16 -> throw new IllegalArgumentException("no blocks");
    };
  }

  /// Numbers without blocks, `bytes` bytes a unit.
  ///
  /// @param wordStride how far apart the words of all rows of a tile are
  static PackKernel plain(int rows, int bytes, int wordStride) {
    return new PackKernel(rows, 1, bytes, -1, 0, 0, 0, bytes / 4, 0, wordStride);
  }

  void write(Assembler asm) {
    Label unit = new Label();
    if (mask != 0) {
      BlockCode.constant(asm, vector(MASK), mask);
    }
    asm.bind(unit);
    for (int block = 0; block < blocks; block++) {
      if (half >= 0) {
        halves(asm, block);
      }
      for (int word = 0; word < wordCount; word += LANES) {
        lanes(asm, block, word);
      }
    }
    asm.add(RSI, RCX);
    asm.add(R8, blocks * blockBytes);
    asm.dec(RDX);
    asm.jump(Condition.NOT_ZERO, unit);
    asm.vzeroupper();
    asm.ret();
  }

  private void halves(Assembler asm, int block) {
    int target = halfTarget + block * rows * Short.BYTES;
    for (int row = 0; row < rows; row++) {
      asm.mov(RAX, at(RDI, row * Long.BYTES));
      asm.movzx16(R10, at(RAX, R8, 1, block * blockBytes + half));
      asm.mov16(at(RSI, target + row * Short.BYTES), R10);
    }
  }

  /// Four words of all rows. Register i takes rows i, i + 4 and so on into its lanes, so that
  /// transposing 4 × 4 within lanes leaves rows in order.
  private void lanes(Assembler asm, int block, int word) {
    int offset = block * blockBytes + words + word * Integer.BYTES;
    for (int i = 0; i < LANES; i++) {
      for (int lane = 0; lane < rows / LANES; lane++) {
        asm.mov(RAX, at(RDI, (LANES * lane + i) * Long.BYTES));
        Memory source = at(RAX, R8, 1, offset);
        if (lane == 0) {
          asm.vmovdqu32(Xmm.of(i), source);
        } else {
          asm.vinserti32x4(vector(i), vector(i), source, lane);
        }
      }
    }
    asm.vpunpckldq(vector(4), vector(0), vector(1));
    asm.vpunpckhdq(vector(5), vector(0), vector(1));
    asm.vpunpckldq(vector(6), vector(2), vector(3));
    asm.vpunpckhdq(vector(7), vector(2), vector(3));
    asm.vpunpcklqdq(vector(0), vector(4), vector(6));
    asm.vpunpckhqdq(vector(1), vector(4), vector(6));
    asm.vpunpcklqdq(vector(2), vector(5), vector(7));
    asm.vpunpckhqdq(vector(3), vector(5), vector(7));
    for (int i = 0; i < LANES; i++) {
      if (mask != 0) {
        asm.vpxord(vector(i), vector(i), vector(MASK));
      }
      int target = wordsTarget + wordStride * (block * wordCount + word + i);
      asm.vmovdqu32(at(RSI, target), vector(i));
    }
  }

  private VectorRegister vector(int number) {
    return rows == BlockCode.ROWS ? Zmm.of(number) : Ymm.of(number);
  }
}
