package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.R9;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Ymm.YMM0;
import static moxin.infer.assembly.Ymm.YMM1;
import static moxin.infer.assembly.Ymm.YMM2;
import static moxin.infer.assembly.Ymm.YMM3;
import static moxin.infer.assembly.Ymm.YMM4;
import static moxin.infer.assembly.Ymm.YMM5;
import static moxin.infer.assembly.Ymm.YMM6;
import static moxin.infer.assembly.Ymm.YMM7;
import static moxin.infer.assembly.Ymm.YMM8;
import static moxin.infer.assembly.Ymm.YMM9;

import java.util.function.Consumer;

/// Prepares the INT8 inputs of one token with AVX2, as [InputKernels#writeInt8].
final class YmmInputKernel {
  private static final int INFINITY = 0x7F800000;
  private static final int VECTORS = 4;
  private static final int SWAP_HALVES = 0b01_00_11_10;
  private static final int SWAP_PAIRS = 0b10_11_00_01;

  /// The quarters of a vector in order after packing within 128 bits.
  private static final int IN_ORDER = 0b11_01_10_00;

  private static final Ymm SCALE = YMM4;
  private static final Ymm INVERSE = YMM5;
  private static final Ymm MASK = YMM6;
  private static final Ymm ONE = Ymm.YMM12;
  private static final Ymm STEPS = Ymm.YMM13;
  private static final Ymm LIMIT = Ymm.YMM14;
  private static final Ymm MAGNITUDE = Ymm.YMM15;

  private final Assembler asm;

  private YmmInputKernel(Assembler asm) {
    this.asm = asm;
  }

  static void write(Assembler asm) {
    new YmmInputKernel(asm).write();
  }

  private void write() {
    Label block = new Label();
    BlockCode.constant(asm, MAGNITUDE, 0x7FFFFFFF);
    BlockCode.constant(asm, LIMIT, INFINITY);
    BlockCode.constant(asm, STEPS, Float.floatToRawIntBits(127f));
    BlockCode.constant(asm, ONE, Float.floatToRawIntBits(1f));
    asm.bind(block);
    for (int i = 0; i < VECTORS; i++) {
      asm.vmovups(Ymm.of(i), at(RDI, YmmBlockCode.VECTOR * i));
    }
    scale();
    for (int i = 0; i < VECTORS; i++) {
      Ymm x = Ymm.of(i);
      asm.vmulps(x, x, INVERSE);
      asm.vcvtps2dq(x, x);
      asm.vpandd(x, x, MASK);
    }
    bytes();
    values();
    asm.add(RDI, InputLayout.BLOCK * Float.BYTES);
    asm.add(RSI, RCX);
    asm.add(R8, RCX);
    asm.dec(RDX);
    asm.jump(Condition.NOT_ZERO, block);
    asm.vzeroupper();
    asm.ret();
  }

  private void scale() {
    // As integers, magnitudes order like floats, with NaN on top.
    asm.vpandd(SCALE, YMM0, MAGNITUDE);
    for (int i = 1; i < VECTORS; i++) {
      asm.vpandd(YMM9, Ymm.of(i), MAGNITUDE);
      asm.vpmaxud(SCALE, SCALE, YMM9);
    }
    spread(SCALE, YMM9, other -> asm.vpmaxud(SCALE, SCALE, other));
    asm.vdivps(SCALE, SCALE, STEPS);
    asm.vdivps(INVERSE, ONE, SCALE);
    // All bits where both the scale and its inverse are finite.
    asm.vpsubd(MASK, INVERSE, LIMIT);
    asm.vpsubd(YMM7, SCALE, LIMIT);
    asm.vpandd(MASK, MASK, YMM7);
    asm.vpsrad(MASK, MASK, 31);
  }

  /// Packing works within 128 bits; each time, quarters are put back in order.
  private void bytes() {
    asm.vpackssdw(YMM8, YMM0, YMM1);
    asm.vpermq(YMM8, YMM8, IN_ORDER);
    asm.vpackssdw(YMM9, YMM2, YMM3);
    asm.vpermq(YMM9, YMM9, IN_ORDER);
    asm.vpacksswb(YMM8, YMM8, YMM9);
    asm.vpermq(YMM8, YMM8, IN_ORDER);
    asm.vmovdqu32(at(RSI, 0), YMM8);
  }

  /// Stores what [InputLayout.Value] lists.
  private void values() {
    asm.vpaddd(YMM0, YMM0, YMM1);
    asm.vpaddd(YMM2, YMM2, YMM3);
    spread(YMM0, YMM9, other -> asm.vpaddd(YMM0, YMM0, other));
    spread(YMM2, YMM9, other -> asm.vpaddd(YMM2, YMM2, other));
    asm.vpxord(YMM8, YMM8, YMM8);
    asm.vpsubd(YMM6, YMM8, YMM0);
    asm.vpsubd(YMM7, YMM8, YMM2);
    asm.vpaddd(YMM0, YMM0, YMM2);
    asm.vpsubd(YMM1, YMM8, YMM0);
    asm.vcvtdq2ps(YMM0, YMM0);
    asm.vmulps(YMM0, YMM0, SCALE);
    asm.mov(RAX, R8);
    store(SCALE);
    asm.vpslld(YMM3, YMM1, 3);
    store(YMM3);
    asm.vpslld(YMM3, YMM1, 7);
    store(YMM3);
    store(YMM0);
    asm.vpslld(YMM6, YMM6, 5);
    store(YMM6);
    asm.vpslld(YMM7, YMM7, 5);
    store(YMM7);
  }

  /// Leaves the maximum or the sum of all lanes in every lane.
  private void spread(Ymm d, Ymm free, Consumer<Ymm> combine) {
    asm.vpermq(free, d, SWAP_HALVES);
    combine.accept(free);
    asm.vpshufd(free, d, SWAP_HALVES);
    combine.accept(free);
    asm.vpshufd(free, d, SWAP_PAIRS);
    combine.accept(free);
  }

  private void store(Ymm value) {
    asm.vmovd(at(RAX, 0), Xmm.of(value.number()));
    asm.add(RAX, R9);
  }
}
