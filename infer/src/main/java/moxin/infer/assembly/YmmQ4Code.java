package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q4_0: for each block 8 f16 scales, then for each block 4 vectors of nibbles: low those of quads
/// 0 to 3, high 4 to 7.
final class YmmQ4Code extends YmmBlockCode {
  private static final int BLOCK_VECTORS = BlockCode.QUADS / 2;

  YmmQ4Code(int formatBlocks) {
    super(WeightFormat.Q4_0, formatBlocks);
  }

  @Override
  BlockCode.Shape shape() {
    return BlockCode.Shape.PLAIN;
  }

  @Override
  int largest() {
    return 15;
  }

  @Override
  InputLayout.Value correction(int part) {
    return InputLayout.Value.MINUS_8_SUM;
  }

  @Override
  void constants(Assembler asm) {
    BlockCode.constant(asm, LOW_NIBBLES, 0x0F0F0F0F);
  }

  @Override
  void beginUnit(Assembler asm, Gpr w) {}

  @Override
  void scale(Assembler asm, Gpr w, int block, int part, Ymm d) {
    asm.vcvtph2ps(d, at(w, SCALE_BYTES * block));
  }

  /// Both quads of a vector in turn: it is loaded once.
  @Override
  int quad(int index) {
    return index / 2 + index % 2 * BLOCK_VECTORS;
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Ymm d) {
    if (quad < BLOCK_VECTORS) {
      int vector = BLOCK_VECTORS * block + quad;
      asm.vmovdqu32(SECOND_FREE, at(w, SCALE_BYTES * blocks() + VECTOR * vector));
      asm.vpandd(d, SECOND_FREE, LOW_NIBBLES);
    } else {
      asm.vpsrlw(d, SECOND_FREE, 4);
      asm.vpandd(d, d, LOW_NIBBLES);
    }
  }
}
