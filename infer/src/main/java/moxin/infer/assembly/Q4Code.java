package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q4_0: 16 f16 scales, then 4 vectors of nibbles: low those of quads 0 to 3, high 4 to 7.
final class Q4Code extends BlockCode {
  static final int SCALE_BYTES = ROWS * Short.BYTES;

  Q4Code() {
    super(WeightFormat.Q4_0);
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
    asm.vcvtph2ps(SCALE, at(w, 0));
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    nibbles(asm, w, SCALE_BYTES + VECTOR * (quad % 4), quad >= 4, d);
  }
}
