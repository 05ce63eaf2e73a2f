package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Memory.at;

/// Interleaves the blocks of 16 rows by 32-bit words, as [BlockCode] says.
///
/// `void (rows, target, units, stride, offset)`: `rows` holds 16 addresses, `offset` is where the
/// first block begins in each row, `stride` how far apart packed units are.
///
/// @param blocks blocks of a unit
/// @param blockBytes bytes of a row's block
/// @param half where in the block a lone f16 is, or −1
/// @param halfTarget where in the packed unit the 16 of each block go
/// @param words where in the block its words begin
/// @param wordsTarget where in the packed unit they go
/// @param wordCount how many; a multiple of 4
/// @param mask what is added to each word without carry
/// @param wordStride how far apart the words of 16 rows are in the packed block
record PackKernel(
    int blocks,
    int blockBytes,
    int half,
    int halfTarget,
    int words,
    int wordsTarget,
    int wordCount,
    int mask,
    int wordStride) {
  private static final int ROWS = BlockCode.ROWS;
  private static final int LANES = 4;
  private static final Zmm MASK = Zmm.ZMM31;

  static PackKernel of(BlockCode format) {
    int bytes = format.format().blockBytes();
    int blocks = format.formatBlocks();
    int scales = BlockCode.SCALE_BYTES * blocks;
    int vector = BlockCode.VECTOR;
    return switch (format.format()) {
      case Q8_0 -> new PackKernel(blocks, bytes, 0, 0, 2, scales, 8, 0x80808080, vector);
      case Q4_0 -> new PackKernel(blocks, bytes, 0, 0, 2, scales, 4, 0, vector);
      case Q4_K, Q5_K -> new PackKernel(blocks, bytes, -1, 0, 0, 0, bytes / 4, 0, vector);
      case Q6_K ->
          new PackKernel(blocks, bytes, bytes - 2, Q6KCode.D_OFFSET, 0, 0, bytes / 4, 0, vector);
      case F32, BF16 -> throw new IllegalArgumentException("no blocks");
    };
  }

  /// 16 columns of bf16; two of these fill a tile.
  static PackKernel bf16() {
    int bytes = InputLayout.BF16_STEP * Short.BYTES;
    return new PackKernel(1, bytes, -1, 0, 0, 0, bytes / 4, 0, 2 * BlockCode.VECTOR);
  }

  void write(Assembler asm) {
    Label unit = new Label();
    if (mask != 0) {
      BlockCode.constant(asm, MASK, mask);
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
    int target = halfTarget + block * BlockCode.SCALE_BYTES;
    for (int row = 0; row < ROWS; row++) {
      asm.mov(RAX, at(RDI, row * Long.BYTES));
      asm.movzx16(R10, at(RAX, R8, 1, block * blockBytes + half));
      asm.mov16(at(RSI, target + row * Short.BYTES), R10);
    }
  }

  /// Four words of 16 rows. Register i takes rows i, i + 4, i + 8, i + 12 into its lanes, so that
  /// transposing 4 × 4 within lanes leaves rows in order.
  private void lanes(Assembler asm, int block, int word) {
    int offset = block * blockBytes + words + word * Integer.BYTES;
    for (int i = 0; i < LANES; i++) {
      for (int lane = 0; lane < LANES; lane++) {
        asm.mov(RAX, at(RDI, (LANES * lane + i) * Long.BYTES));
        Memory source = at(RAX, R8, 1, offset);
        if (lane == 0) {
          asm.vmovdqu32(Xmm.of(i), source);
        } else {
          asm.vinserti32x4(Zmm.of(i), Zmm.of(i), source, lane);
        }
      }
    }
    asm.vpunpckldq(Zmm.ZMM4, Zmm.ZMM0, Zmm.ZMM1);
    asm.vpunpckhdq(Zmm.ZMM5, Zmm.ZMM0, Zmm.ZMM1);
    asm.vpunpckldq(Zmm.ZMM6, Zmm.ZMM2, Zmm.ZMM3);
    asm.vpunpckhdq(Zmm.ZMM7, Zmm.ZMM2, Zmm.ZMM3);
    asm.vpunpcklqdq(Zmm.ZMM0, Zmm.ZMM4, Zmm.ZMM6);
    asm.vpunpckhqdq(Zmm.ZMM1, Zmm.ZMM4, Zmm.ZMM6);
    asm.vpunpcklqdq(Zmm.ZMM2, Zmm.ZMM5, Zmm.ZMM7);
    asm.vpunpckhqdq(Zmm.ZMM3, Zmm.ZMM5, Zmm.ZMM7);
    for (int i = 0; i < LANES; i++) {
      if (mask != 0) {
        asm.vpxord(Zmm.of(i), Zmm.of(i), MASK);
      }
      int target = wordsTarget + wordStride * (block * wordCount + word + i);
      asm.vmovdqu32(at(RSI, target), Zmm.of(i));
    }
  }
}
