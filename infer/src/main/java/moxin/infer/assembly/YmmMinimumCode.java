package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Ymm.YMM0;
import static moxin.infer.assembly.Ymm.YMM1;
import static moxin.infer.assembly.Ymm.YMM2;
import static moxin.infer.assembly.Ymm.YMM3;

import moxin.infer.kernel.WeightFormat;

/// Q4_K and Q5_K in the vectors of [MinimumCode], each of 8 rows. The scales and minimums of a unit
/// are computed where it begins.
final class YmmMinimumCode extends YmmBlockCode {
  private static final int HEADER_VECTORS = 4;
  private static final int SUBBLOCKS = 8;

  /// The quarters of a vector in order after packing within 128 bits.
  private static final int IN_ORDER = 0b11_01_10_00;

  private static final int LOW_SIX = 0;
  private static final int BITS_4_AND_5 = 1;
  private static final int LOW_BYTE = 2;

  private final boolean hasFifthBit;

  YmmMinimumCode(WeightFormat format) {
    super(format, 1);
    this.hasFifthBit = format == WeightFormat.Q5_K;
  }

  @Override
  BlockCode.Shape shape() {
    return BlockCode.Shape.MINIMUM;
  }

  @Override
  int largest() {
    return hasFifthBit ? 31 : 15;
  }

  @Override
  InputLayout.Value correction(int part) {
    throw new IllegalStateException("a format with minimums starts at 0");
  }

  @Override
  void constants(Assembler asm) {
    constant(asm, LOW_SIX, 0x3F3F3F3F);
    constant(asm, BITS_4_AND_5, 0x30303030);
    constant(asm, LOW_BYTE, 0xFF);
    BlockCode.constant(asm, LOW_NIBBLES, 0x0F0F0F0F);
    BlockCode.constant(asm, UPPER_BITS, 0x10101010);
  }

  @Override
  void beginUnit(Assembler asm, Gpr w) {
    asm.vmovdqu32(YMM0, at(w, 0));
    asm.vpsrld(YMM1, YMM0, 16);
    asm.vpslld(YMM0, YMM0, 16);
    asm.vpsrld(YMM0, YMM0, 16);
    asm.vpackusdw(YMM0, YMM0, YMM1);
    asm.vpermq(YMM0, YMM0, IN_ORDER);
    asm.vextracti32x4(Xmm.XMM1, YMM0, 1);
    asm.vcvtph2ps(YMM0, Xmm.XMM0);
    asm.vcvtph2ps(YMM1, Xmm.XMM1);
    Ymm last = THIRD_FREE;
    asm.vmovdqu32(last, at(w, 3 * VECTOR));
    numbers(asm, at(w, VECTOR), last, YMM0, 0);
    asm.vpsrlw(last, last, 4);
    numbers(asm, at(w, 2 * VECTOR), last, YMM1, SUBBLOCKS);
  }

  /// Eight scales or minimums: the lower six bits of `first`, then the low nibbles of `last` with
  /// the upper two bits of `first` above.
  private static void numbers(Assembler asm, Memory first, Ymm last, Ymm factor, int index) {
    asm.vmovdqu32(YMM2, first);
    asm.vpandd(YMM3, YMM2, YmmFrame.constant(LOW_SIX));
    times(asm, YMM3, factor, index);
    asm.vpsrlw(YMM2, YMM2, 2);
    asm.vpandd(YMM2, YMM2, YmmFrame.constant(BITS_4_AND_5));
    asm.vpandd(YMM3, last, LOW_NIBBLES);
    asm.vpord(YMM2, YMM2, YMM3);
    times(asm, YMM2, factor, index + 4);
  }

  private static void times(Assembler asm, Ymm bytes, Ymm factor, int index) {
    for (int i = 0; i < 4; i++) {
      Ymm source = bytes;
      if (i > 0) {
        asm.vpsrld(FREE, bytes, 8 * i);
        source = FREE;
      }
      if (i < 3) {
        asm.vpandd(FREE, source, YmmFrame.constant(LOW_BYTE));
      }
      asm.vcvtdq2ps(FREE, FREE);
      asm.vmulps(FREE, FREE, factor);
      asm.vmovups(YmmFrame.scale(index + i), FREE);
    }
  }

  @Override
  void scale(Assembler asm, Gpr w, int block, int part, Ymm d) {
    asm.vmovups(d, YmmFrame.scale(block));
  }

  @Override
  Memory minimum(int block) {
    return YmmFrame.scale(SUBBLOCKS + block);
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Ymm d) {
    int quads = BlockCode.QUADS;
    int nibbles = HEADER_VECTORS + (hasFifthBit ? quads : 0) + block / 2 * quads + quad;
    nibbles(asm, w, VECTOR * nibbles, block % 2 == 1, d);
    if (hasFifthBit) {
      asm.vmovdqu32(FREE, at(w, VECTOR * (HEADER_VECTORS + quad)));
      if (block < 4) {
        asm.vpsllw(FREE, FREE, 4 - block);
      } else if (block > 4) {
        asm.vpsrlw(FREE, FREE, block - 4);
      }
      asm.vpandd(FREE, FREE, UPPER_BITS);
      asm.vpord(d, d, FREE);
    }
  }
}
