package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q8_0: for each block 16 f16 scales, then for each block 8 vectors of bytes with 128 added.
final class Q8Code extends BlockCode {

  Q8Code(int formatBlocks) {
    super(WeightFormat.Q8_0, formatBlocks);
  }

  @Override
  public int mask() {
    return 0x80808080;
  }

  @Override
  Shape shape() {
    return Shape.PLAIN;
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
  void scales(Assembler asm, Gpr w, int block) {
    asm.vcvtph2ps(SCALE, at(w, SCALE_BYTES * block));
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    asm.vmovdqu32(d, at(w, SCALE_BYTES * blocks() + VECTOR * (QUADS * block + quad)));
  }
}
