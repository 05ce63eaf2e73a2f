package moxin.infer.assembly;

import static moxin.infer.assembly.Ymm.YMM11;
import static moxin.infer.assembly.Ymm.YMM12;
import static moxin.infer.assembly.Ymm.YMM13;
import static moxin.infer.assembly.Ymm.YMM14;
import static moxin.infer.assembly.Ymm.YMM15;
import static moxin.infer.assembly.Ymm.YMM8;
import static moxin.infer.assembly.Ymm.YMM9;

import moxin.infer.kernel.WeightFormat;

/// How AVX2 brings the weights of one quantised format from packed memory into registers: as
/// [BlockCode], in vectors of 8 rows.
///
/// Registers: 0 to 7 are the kernel's, of which a unit may change 0 to 3 where it begins; 8 and 9
/// are free within a quad, 10 is the kernel's, 11 and 15 hold constants, 12 to 14 are free where a
/// unit begins.
abstract class YmmBlockCode implements PackedUnit {
  static final int ROWS = 8;
  static final int VECTOR = 32;
  static final Ymm FREE = YMM8;
  static final Ymm SECOND_FREE = YMM9;
  static final Ymm UPPER_BITS = YMM11;
  static final Ymm WEIGHTS = YMM12;
  static final Ymm INPUT = YMM13;
  static final Ymm THIRD_FREE = YMM14;
  static final Ymm LOW_NIBBLES = YMM15;

  /// Bytes of the f16 scales of all rows.
  static final int SCALE_BYTES = ROWS * Short.BYTES;

  private final WeightFormat format;
  private final int formatBlocks;

  /// @param formatBlocks blocks of the format in a unit
  YmmBlockCode(WeightFormat format, int formatBlocks) {
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

  abstract BlockCode.Shape shape();

  /// The largest weight, as the bytes that [#weights] loads.
  abstract int largest();

  /// Whether these bytes have a sign.
  boolean isSigned() {
    return false;
  }

  /// Whether accumulators start with a [#correction], not with 0.
  boolean isCorrected() {
    return shape() != BlockCode.Shape.MINIMUM && !isSigned();
  }

  /// What the accumulator of part `part` starts with.
  abstract InputLayout.Value correction(int part);

  /// Loads constants, once per call of a kernel. Changes rax and [#FREE].
  abstract void constants(Assembler asm);

  /// Begins a unit at `[w]`.
  abstract void beginUnit(Assembler asm, Gpr w);

  /// The fp32 scales of part `part` of block `block`.
  abstract void scale(Assembler asm, Gpr w, int block, int part, Ymm d);

  /// Where the fp32 minimums of a block lie.
  Memory minimum(int block) {
    throw new IllegalStateException(label() + " has no minimums");
  }

  /// The quad that [#weights] is asked for as number `index` of a block.
  int quad(int index) {
    return index;
  }

  /// Loads the bytes of a quad of block `block` into `d`; asked in the order of [#quad].
  abstract void weights(Assembler asm, Gpr w, int block, int quad, Ymm d);

  /// One nibble of each byte at `[w + offset]`.
  static void nibbles(Assembler asm, Gpr w, int offset, boolean isHigh, Ymm d) {
    Memory source = Memory.at(w, offset);
    if (isHigh) {
      asm.vmovdqu32(d, source);
      asm.vpsrlw(d, d, 4);
      asm.vpandd(d, d, LOW_NIBBLES);
    } else {
      asm.vpandd(d, LOW_NIBBLES, source);
    }
  }

  /// Puts `value` in all lanes of a constant in memory.
  static void constant(Assembler asm, int index, int value) {
    BlockCode.constant(asm, FREE, value);
    asm.vmovdqu32(YmmFrame.constant(index), FREE);
  }
}
