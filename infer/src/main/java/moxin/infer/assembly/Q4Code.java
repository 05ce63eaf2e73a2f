package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;

import moxin.infer.kernel.WeightFormat;

/// Q4_0: 16 f16 scales, then 4 vectors of nibbles: low those of quads 0 to 3, high 4 to 7.
final class Q4Code extends BlockCode {
  private static final Zmm PAIR = Zmm.ZMM22;
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

  /// Both quads of a vector in turn: it is loaded once, since its loads cross cache lines.
  @Override
  int quad(int index) {
    return index / 2 + index % 2 * (QUADS / 2);
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    if (quad < QUADS / 2) {
      asm.vmovdqu32(PAIR, at(w, SCALE_BYTES + VECTOR * quad));
      asm.vpandd(d, PAIR, LOW_NIBBLES);
    } else {
      asm.vpsrlw(d, PAIR, 4);
      asm.vpandd(d, d, LOW_NIBBLES);
    }
  }
}
