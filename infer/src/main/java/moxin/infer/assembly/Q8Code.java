package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q8_0: 16 f16 scales, then 8 vectors of bytes with 128 added.
final class Q8Code extends BlockCode {
  static final int SCALE_BYTES = ROWS * Short.BYTES;

  Q8Code() {
    super(WeightFormat.Q8_0);
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
    asm.vcvtph2ps(SCALE, at(w, 0));
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    asm.vmovdqu32(d, at(w, SCALE_BYTES + VECTOR * quad));
  }
}
