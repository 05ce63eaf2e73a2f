package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q4_0: for each block 16 f16 scales, then for each block 4 vectors of nibbles: low those of quads
/// 0 to 3, high 4 to 7.
final class Q4Code extends BlockCode {
  private static final Zmm PAIR = Zmm.ZMM22;
  private static final int BLOCK_VECTORS = QUADS / 2;

  Q4Code(int formatBlocks) {
    super(WeightFormat.Q4_0, formatBlocks);
  }

  @Override
  Shape shape() {
    return Shape.PLAIN;
  }

  @Override
  InputLayout.Value correction(int part) {
    return InputLayout.Value.MINUS_8_SUM;
  }

  @Override
  void constants(Assembler asm) {
    constant(asm, LOW_NIBBLES, 0x0F0F0F0F);
  }

  @Override
  void beginUnit(Assembler asm, Gpr w) {}

  @Override
  void scales(Assembler asm, Gpr w, int block) {
    asm.vcvtph2ps(SCALE, at(w, SCALE_BYTES * block));
  }

  /// Both quads of a vector in turn: it is loaded once.
  @Override
  int quad(int index) {
    return index / 2 + index % 2 * (QUADS / 2);
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    if (quad < QUADS / 2) {
      int vector = BLOCK_VECTORS * block + quad;
      asm.vmovdqu32(PAIR, at(w, SCALE_BYTES * blocks() + VECTOR * vector));
      asm.vpandd(d, PAIR, LOW_NIBBLES);
    } else {
      asm.vpsrlw(d, PAIR, 4);
      asm.vpandd(d, d, LOW_NIBBLES);
    }
  }
}
