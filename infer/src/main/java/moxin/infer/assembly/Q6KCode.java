package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Zmm.ZMM17;
import static moxin.infer.assembly.Zmm.ZMM19;
import static moxin.infer.assembly.Zmm.ZMM22;

import moxin.infer.kernel.WeightFormat;

/// Q6_K: 32 vectors of low nibbles, 16 of upper pairs of bits, 4 of signed 8-bit scales, and 16
/// f16.
final class Q6KCode extends BlockCode {
  private static final Zmm UPPER_BITS = ZMM17;
  private static final Zmm FREE = ZMM19;
  private static final Zmm D = ZMM22;

  private static final int A_OR_B_AND_C = 0xF8;
  private static final int UPPER = 32 * VECTOR;
  private static final int SCALES = 48 * VECTOR;
  private static final int D_OFFSET = 52 * VECTOR;

  Q6KCode() {
    super(WeightFormat.Q6_K, 1);
  }

  @Override
  Shape shape() {
    return Shape.HALVES;
  }

  @Override
  InputLayout.Value correction(int part) {
    return part == 0 ? InputLayout.Value.MINUS_32_SUM_LOW : InputLayout.Value.MINUS_32_SUM_HIGH;
  }

  @Override
  void constants(Assembler asm) {
    constant(asm, LOW_NIBBLES, 0x0F0F0F0F);
    constant(asm, UPPER_BITS, 0x30303030);
  }

  @Override
  void beginUnit(Assembler asm, Gpr w) {
    asm.vcvtph2ps(D, at(w, D_OFFSET));
  }

  @Override
  void scales(Assembler asm, Gpr w, int block) {
    times(asm, SCALE, w, 2 * block);
    times(asm, SECOND, w, 2 * block + 1);
  }

  private static void times(Assembler asm, Zmm d, Gpr w, int index) {
    Memory bytes = at(w, SCALES + VECTOR * (index / 4));
    int above = 24 - 8 * (index % 4);
    if (above > 0) {
      asm.vpslld(d, bytes, above);
      asm.vpsrad(d, d, 24);
    } else {
      asm.vpsrad(d, bytes, 24);
    }
    asm.vcvtdq2ps(d, d);
    asm.vmulps(d, d, D);
  }

  /// Of 128 columns, blocks 0 and 1 are the low nibbles of 16 vectors, blocks 2 and 3 the high
  /// ones; the upper bits of the four are bits 0, 2, 4 and 6 of the same 8 vectors.
  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    int half = block / 4;
    int inHalf = block % 4;
    nibbles(asm, w, VECTOR * (16 * half + 8 * (inHalf % 2) + quad), inHalf >= 2, d);
    Memory upper = at(w, UPPER + VECTOR * (8 * half + quad));
    switch (inHalf) {
      case 0 -> asm.vpsllw(FREE, upper, 4);
      case 1 -> asm.vpsllw(FREE, upper, 2);
      case 2 -> asm.vmovdqu32(FREE, upper);
      default -> asm.vpsrlw(FREE, upper, 2);
    }
    asm.vpternlogd(d, FREE, UPPER_BITS, A_OR_B_AND_C);
  }
}
