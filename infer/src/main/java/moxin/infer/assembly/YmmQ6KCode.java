package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Ymm.YMM0;
import static moxin.infer.assembly.Ymm.YMM1;

import moxin.infer.kernel.WeightFormat;

/// Q6_K in the vectors of [Q6KCode], each of 8 rows. The scales of a unit are computed where it
/// begins.
final class YmmQ6KCode extends YmmBlockCode {
  private static final int UPPER = 32 * VECTOR;
  private static final int SCALES = 48 * VECTOR;
  private static final int D_OFFSET = 52 * VECTOR;
  private static final int SCALE_COUNT = 16;

  YmmQ6KCode() {
    super(WeightFormat.Q6_K, 1);
  }

  @Override
  BlockCode.Shape shape() {
    return BlockCode.Shape.HALVES;
  }

  @Override
  int largest() {
    return 63;
  }

  @Override
  InputLayout.Value correction(int part) {
    return part == 0 ? InputLayout.Value.MINUS_32_SUM_LOW : InputLayout.Value.MINUS_32_SUM_HIGH;
  }

  @Override
  void constants(Assembler asm) {
    BlockCode.constant(asm, LOW_NIBBLES, 0x0F0F0F0F);
    BlockCode.constant(asm, UPPER_BITS, 0x30303030);
  }

  @Override
  void beginUnit(Assembler asm, Gpr w) {
    asm.vcvtph2ps(YMM0, at(w, D_OFFSET));
    for (int i = 0; i < SCALE_COUNT; i++) {
      if (i % 4 == 0) {
        asm.vmovdqu32(YMM1, at(w, SCALES + VECTOR * (i / 4)));
      }
      asm.vpslld(FREE, YMM1, 24 - 8 * (i % 4));
      asm.vpsrad(FREE, FREE, 24);
      asm.vcvtdq2ps(FREE, FREE);
      asm.vmulps(FREE, FREE, YMM0);
      asm.vmovups(YmmFrame.scale(i), FREE);
    }
  }

  @Override
  void scale(Assembler asm, Gpr w, int block, int part, Ymm d) {
    asm.vmovups(d, YmmFrame.scale(2 * block + part));
  }

  /// As in [Q6KCode#weights].
  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Ymm d) {
    int half = block / 4;
    int inHalf = block % 4;
    nibbles(asm, w, VECTOR * (16 * half + 8 * (inHalf % 2) + quad), inHalf >= 2, d);
    asm.vmovdqu32(FREE, at(w, UPPER + VECTOR * (8 * half + quad)));
    switch (inHalf) {
      case 0 -> asm.vpsllw(FREE, FREE, 4);
      case 1 -> asm.vpsllw(FREE, FREE, 2);
      case 2 -> {}
      default -> asm.vpsrlw(FREE, FREE, 2);
    }
    asm.vpandd(FREE, FREE, UPPER_BITS);
    asm.vpord(d, d, FREE);
  }
}
