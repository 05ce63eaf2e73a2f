package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q8_0: for each block 8 f16 scales, then for each block 8 vectors of bytes: for `vpdpbusd` with
/// 128 added, otherwise signed.
final class YmmQ8Code extends YmmBlockCode {
  private final ByteDots dots;

  YmmQ8Code(ByteDots dots, int formatBlocks) {
    super(WeightFormat.Q8_0, formatBlocks);
    this.dots = dots;
  }

  @Override
  public int mask() {
    return isSigned() ? 0 : 0x80808080;
  }

  @Override
  BlockCode.Shape shape() {
    return BlockCode.Shape.PLAIN;
  }

  @Override
  int largest() {
    return isSigned() ? 128 : 255;
  }

  @Override
  boolean isSigned() {
    return dots == ByteDots.MULTIPLY_ADD;
  }

  @Override
  InputLayout.Value correction(int part) {
    return InputLayout.Value.MINUS_128_SUM;
  }

  @Override
  void constants(Assembler asm) {}

  @Override
  void beginUnit(Assembler asm, Gpr w) {}

  @Override
  void scale(Assembler asm, Gpr w, int block, int part, Ymm d) {
    asm.vcvtph2ps(d, at(w, SCALE_BYTES * block));
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Ymm d) {
    asm.vmovdqu32(d, at(w, SCALE_BYTES * blocks() + VECTOR * (BlockCode.QUADS * block + quad)));
  }
}
