package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Zmm.ZMM17;
import static moxin.infer.assembly.Zmm.ZMM18;
import static moxin.infer.assembly.Zmm.ZMM19;
import static moxin.infer.assembly.Zmm.ZMM22;
import static moxin.infer.assembly.Zmm.ZMM23;
import static moxin.infer.assembly.Zmm.ZMM24;
import static moxin.infer.assembly.Zmm.ZMM25;
import static moxin.infer.assembly.Zmm.ZMM26;
import static moxin.infer.assembly.Zmm.ZMM27;
import static moxin.infer.assembly.Zmm.ZMM28;

import moxin.infer.kernel.WeightFormat;

/// Q4_K and Q5_K: a vector of d and dmin, three of 6-bit scales and minimums as the file packs
/// them, for Q5_K eight of fifth bits (bit b of a byte belongs to block b), then four times eight
/// vectors of nibbles: low those of an even block, high those of the next.
final class MinimumCode extends BlockCode {
  private static final Zmm FIFTH_BIT = ZMM17;
  private static final Zmm LOW_BYTE = ZMM18;
  private static final Zmm FREE = ZMM19;
  private static final Zmm D = ZMM22;
  private static final Zmm D_MINIMUM = ZMM23;
  private static final Zmm SCALES_LOW = ZMM24;
  private static final Zmm SCALES_HIGH = ZMM25;
  private static final Zmm MINIMUMS_LOW = ZMM26;
  private static final Zmm MINIMUMS_HIGH = ZMM27;
  private static final Zmm MASK = ZMM28;

  private static final int HEADER_VECTORS = 4;
  private static final int A_OR_B_AND_C = 0xF8;

  private final boolean hasFifthBit;

  MinimumCode(WeightFormat format) {
    super(format, 1);
    this.hasFifthBit = format == WeightFormat.Q5_K;
  }

  @Override
  Shape shape() {
    return Shape.MINIMUM;
  }

  @Override
  InputLayout.Value correction(int part) {
    throw new IllegalStateException("a format with minimums starts at 0");
  }

  @Override
  void constants(Assembler asm) {
    constant(asm, LOW_NIBBLES, 0x0F0F0F0F);
    constant(asm, FIFTH_BIT, 0x10101010);
    constant(asm, LOW_BYTE, 0xFF);
  }

  @Override
  void beginUnit(Assembler asm, Gpr w) {
    asm.vmovdqu32(D_MINIMUM, at(w, 0));
    asm.vpmovdw(Ymm.of(D.number()), D_MINIMUM);
    asm.vcvtph2ps(D, Ymm.of(D.number()));
    asm.vpsrld(D_MINIMUM, D_MINIMUM, 16);
    asm.vpmovdw(Ymm.of(D_MINIMUM.number()), D_MINIMUM);
    asm.vcvtph2ps(D_MINIMUM, Ymm.of(D_MINIMUM.number()));

    constant(asm, MASK, 0x30303030);
    asm.vpsrld(SCALES_HIGH, at(w, VECTOR), 2);
    asm.vpandd(SCALES_HIGH, SCALES_HIGH, MASK);
    asm.vpsrld(MINIMUMS_HIGH, at(w, 2 * VECTOR), 2);
    asm.vpandd(MINIMUMS_HIGH, MINIMUMS_HIGH, MASK);
    asm.vmovdqu32(FREE, at(w, 3 * VECTOR));
    asm.vpternlogd(SCALES_HIGH, FREE, LOW_NIBBLES, A_OR_B_AND_C);
    asm.vpsrld(FREE, FREE, 4);
    asm.vpternlogd(MINIMUMS_HIGH, FREE, LOW_NIBBLES, A_OR_B_AND_C);
    constant(asm, MASK, 0x3F3F3F3F);
    asm.vpandd(SCALES_LOW, MASK, at(w, VECTOR));
    asm.vpandd(MINIMUMS_LOW, MASK, at(w, 2 * VECTOR));
  }

  @Override
  void scales(Assembler asm, Gpr w, int block) {
    boolean isLow = block < 4;
    times(asm, SCALE, D, isLow ? SCALES_LOW : SCALES_HIGH, block % 4);
    times(asm, SECOND, D_MINIMUM, isLow ? MINIMUMS_LOW : MINIMUMS_HIGH, block % 4);
  }

  private static void times(Assembler asm, Zmm d, Zmm factor, Zmm bytes, int index) {
    Zmm source = bytes;
    if (index > 0) {
      asm.vpsrld(d, bytes, 8 * index);
      source = d;
    }
    if (index < 3) {
      asm.vpandd(d, source, LOW_BYTE);
    }
    asm.vcvtdq2ps(d, d);
    asm.vmulps(d, d, factor);
  }

  @Override
  void weights(Assembler asm, Gpr w, int block, int quad, Zmm d) {
    int nibbles = HEADER_VECTORS + (hasFifthBit ? QUADS : 0) + block / 2 * QUADS + quad;
    nibbles(asm, w, VECTOR * nibbles, block % 2 == 1, d);
    if (hasFifthBit) {
      Memory bits = at(w, VECTOR * (HEADER_VECTORS + quad));
      if (block < 4) {
        asm.vpsllw(FREE, bits, 4 - block);
      } else {
        asm.vpsrlw(FREE, bits, block - 4);
      }
      asm.vpternlogd(d, FREE, FIFTH_BIT, A_OR_B_AND_C);
    }
  }
}
