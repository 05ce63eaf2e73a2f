package moxin.infer.assembly;

import static moxin.infer.assembly.Zmm.ZMM16;
import static moxin.infer.assembly.Zmm.ZMM20;
import static moxin.infer.assembly.Zmm.ZMM21;

import moxin.infer.kernel.WeightFormat;

/// How the weights of one quantised format come from packed memory into registers.
///
/// Packed, the blocks of 16 neighbouring rows are interleaved by 32-bit words: word w of the block
/// of row r lies at byte `64 · w + 4 · r`, so that a vector holds the same word of 16 rows. The
/// formats whose blocks begin or end with a lone f16 have the 16 of them together in front (Q8_0,
/// Q4_0) or at the end (Q6_K). Packed weights take as many bytes as in the file.
///
/// A unit is a block of the format, or a pair of them where columns allow, so that vectors do not
/// cross cache lines; it has one or more blocks of 32 columns. A quad is four columns. Registers: 0
/// to 15 are the kernel's; 16 to 19 hold constants, 20 and 21 what [#scales] computes, 22 to 29 are
/// free for the code of the format; the others are the kernel's again.
abstract class BlockCode implements PackedUnit {
  static final int ROWS = 16;
  static final int VECTOR = 64;
  static final int QUADS = InputLayout.BLOCK / 4;
  static final Zmm LOW_NIBBLES = ZMM16;
  static final Zmm SCALE = ZMM20;

  /// The minimum, or the scale of the second 16 columns.
  static final Zmm SECOND = ZMM21;

  /// What a block of 32 adds up to besides its dot products.
  enum Shape {
    /// One scale.
    PLAIN,
    /// One scale and one minimum.
    MINIMUM,
    /// Two scales, one for each 16 columns.
    HALVES
  }

  /// Bytes of the f16 scales of 16 rows.
  static final int SCALE_BYTES = ROWS * Short.BYTES;

  private final WeightFormat format;
  private final int formatBlocks;

  /// @param formatBlocks blocks of the format in a unit
  BlockCode(WeightFormat format, int formatBlocks) {
    this.format = format;
    this.formatBlocks = formatBlocks;
  }

  @Override
  public WeightFormat format() {
    return format;
  }

  @Override
  public int formatBlocks() {
    return formatBlocks;
  }

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int mask() {
    return 0;
  }

  abstract Shape shape();

  /// What the accumulator of part `part` (0, or 1 of [Shape#HALVES]) starts with; with a minimum,
  /// 0.
  abstract InputLayout.Value correction(int part);

  /// Loads constants, once per call of a kernel. May use rax.
  abstract void constants(Assembler asm);

  /// Begins a unit at `[w]`.
  abstract void beginUnit(Assembler asm, Gpr w);

  /// Computes [#SCALE] and, unless the shape is plain, [#SECOND] of block `block`.
  abstract void scales(Assembler asm, Gpr w, int block);

  /// The quad that [#weights] is asked for as number `index` of a block.
  int quad(int index) {
    return index;
  }

  /// Loads the unsigned bytes of a quad of block `block` into `d`; asked in the order of [#quad].
  abstract void weights(Assembler asm, Gpr w, int block, int quad, Zmm d);

  /// Repeats `value` in all lanes of `d`. Changes rax.
  static void constant(Assembler asm, VectorRegister d, int value) {
    asm.mov32(Gpr.RAX, value);
    if (d instanceof Zmm) {
      asm.vpbroadcastd(d, Gpr.RAX);
    } else {
      Xmm lowest = Xmm.of(d.number());
      asm.vmovd(lowest, Gpr.RAX);
      asm.vpbroadcastd(d, lowest);
    }
  }

  /// One nibble of each byte at `[w + offset]`.
  static void nibbles(Assembler asm, Gpr w, int offset, boolean isHigh, Zmm d) {
    Memory source = Memory.at(w, offset);
    if (isHigh) {
      asm.vpsrlw(d, source, 4);
      asm.vpandd(d, d, LOW_NIBBLES);
    } else {
      asm.vpandd(d, LOW_NIBBLES, source);
    }
  }
}
