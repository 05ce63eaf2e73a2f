package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Gpr.RSP;
import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Zmm.ZMM0;
import static moxin.infer.assembly.Zmm.ZMM1;
import static moxin.infer.assembly.Zmm.ZMM16;
import static moxin.infer.assembly.Zmm.ZMM17;
import static moxin.infer.assembly.Zmm.ZMM18;
import static moxin.infer.assembly.Zmm.ZMM19;
import static moxin.infer.assembly.Zmm.ZMM2;
import static moxin.infer.assembly.Zmm.ZMM3;
import static moxin.infer.assembly.Zmm.ZMM4;
import static moxin.infer.assembly.Zmm.ZMM5;
import static moxin.infer.assembly.Zmm.ZMM6;
import static moxin.infer.assembly.Zmm.ZMM7;
import static moxin.infer.assembly.Zmm.ZMM8;

/// Prepares the inputs of one token as [InputLayout] defines.
final class InputKernels {
  private static final int INFINITY = 0x7F800000;
  private static final int RED_ZONE = -32;

  private static final Zmm MAGNITUDE = ZMM16;
  private static final Zmm LIMIT = ZMM17;
  private static final Zmm STEPS = ZMM18;
  private static final Zmm ONE = ZMM19;

  private InputKernels() {}

  /// `void (x, bytes, blocks, recordBytes, values, valueBytes)`: where the token's bytes and values
  /// lie in the first record, and how far apart records and values are.
  static void writeInt8(Assembler asm) {
    Label block = new Label();
    BlockCode.constant(asm, MAGNITUDE, 0x7FFFFFFF);
    BlockCode.constant(asm, LIMIT, INFINITY);
    BlockCode.constant(asm, STEPS, Float.floatToRawIntBits(127f));
    BlockCode.constant(asm, ONE, Float.floatToRawIntBits(1f));
    asm.bind(block);
    asm.vmovups(ZMM0, at(RDI, 0));
    asm.vmovups(ZMM1, at(RDI, 64));
    asm.vpandd(ZMM2, ZMM0, MAGNITUDE);
    asm.vpandd(ZMM3, ZMM1, MAGNITUDE);
    // As integers, magnitudes order like floats, with NaN on top.
    asm.vpmaxud(ZMM2, ZMM2, ZMM3);
    spread(asm, ZMM2, ZMM3, Form.VPMAXUD);
    asm.vdivps(ZMM2, ZMM2, STEPS);
    asm.vdivps(ZMM3, ONE, ZMM2);
    // All bits where both the scale and its inverse are finite.
    asm.vpsubd(ZMM4, ZMM3, LIMIT);
    asm.vpsubd(ZMM5, ZMM2, LIMIT);
    asm.vpandd(ZMM4, ZMM4, ZMM5);
    asm.vpsrad(ZMM4, ZMM4, 31);
    quantise(asm, ZMM0, ZMM3, ZMM4, 0);
    quantise(asm, ZMM1, ZMM3, ZMM4, 16);
    spread(asm, ZMM0, ZMM5, Form.VPADDD);
    spread(asm, ZMM1, ZMM5, Form.VPADDD);
    asm.vpxord(ZMM8, ZMM8, ZMM8);
    asm.vpsubd(ZMM6, ZMM8, ZMM0);
    asm.vpsubd(ZMM7, ZMM8, ZMM1);
    asm.vpaddd(ZMM0, ZMM0, ZMM1);
    asm.vpsubd(ZMM1, ZMM8, ZMM0);
    asm.vcvtdq2ps(ZMM0, ZMM0);
    asm.vmulps(ZMM0, ZMM0, ZMM2);
    asm.mov(RAX, R8);
    store(asm, ZMM2);
    asm.vpslld(ZMM3, ZMM1, 3);
    store(asm, ZMM3);
    asm.vpslld(ZMM3, ZMM1, 7);
    store(asm, ZMM3);
    store(asm, ZMM0);
    asm.vpslld(ZMM6, ZMM6, 5);
    store(asm, ZMM6);
    asm.vpslld(ZMM7, ZMM7, 5);
    store(asm, ZMM7);
    asm.add(RDI, InputLayout.BLOCK * Float.BYTES);
    asm.add(RSI, RCX);
    asm.add(R8, RCX);
    asm.dec(RDX);
    asm.jump(Condition.NOT_ZERO, block);
    asm.vzeroupper();
    asm.ret();
  }

  private static void quantise(Assembler asm, Zmm x, Zmm inverse, Zmm mask, int offset) {
    asm.vmulps(x, x, inverse);
    asm.vcvtps2dq(x, x);
    asm.vpandd(x, x, mask);
    asm.vpmovsdb(at(RSI, offset), x);
  }

  /// Leaves the maximum or the sum of all lanes in every lane.
  private static void spread(Assembler asm, Zmm d, Zmm free, Form operation) {
    asm.vshufi32x4(free, d, d, 0b01_00_11_10);
    combine(asm, d, free, operation);
    asm.vshufi32x4(free, d, d, 0b10_11_00_01);
    combine(asm, d, free, operation);
    asm.vpshufd(free, d, 0b01_00_11_10);
    combine(asm, d, free, operation);
    asm.vpshufd(free, d, 0b10_11_00_01);
    combine(asm, d, free, operation);
  }

  private static void combine(Assembler asm, Zmm d, Zmm other, Form operation) {
    if (operation == Form.VPMAXUD) {
      asm.vpmaxud(d, d, other);
    } else {
      asm.vpaddd(d, d, other);
    }
  }

  private static void store(Assembler asm, Zmm value) {
    asm.vmovd(at(RAX, 0), Xmm.of(value.number()));
    asm.add(RAX, Gpr.R9);
  }

  /// `void (x, pairs, steps, pairBytes)`: 16 columns a step; how far apart pairs are.
  static void writeBf16(Assembler asm) {
    Label step = new Label();
    asm.bind(step);
    asm.vmovups(ZMM0, at(RDI, 0));
    asm.vcvtneps2bf16(Ymm.YMM0, ZMM0);
    asm.vmovdqu32(at(RSP, RED_ZONE), Ymm.YMM0);
    for (int pair = 0; pair < InputLayout.BF16_STEP / 2; pair++) {
      asm.mov32(R10, at(RSP, RED_ZONE + pair * Integer.BYTES));
      asm.mov32(at(RSI, 0), R10);
      asm.add(RSI, RCX);
    }
    asm.add(RDI, InputLayout.BF16_STEP * Float.BYTES);
    asm.dec(RDX);
    asm.jump(Condition.NOT_ZERO, step);
    asm.vzeroupper();
    asm.ret();
  }
}
