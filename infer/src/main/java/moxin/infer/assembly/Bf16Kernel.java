package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.R11;
import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.R9;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Gpr.RSP;
import static moxin.infer.assembly.Memory.at;

/// bf16 products of one tile with groups of tokens: 32 rows × up to 12 tokens in registers.
///
/// `void (w, x, y, groups, steps, yStride, groupStride)`: strides in bytes; w has, per pair of
/// columns, 32 pairs of weights.
final class Bf16Kernel {
  /// Bytes of 16 columns of a tile.
  static final int STEP_BYTES = InputLayout.BF16_STEP * 32 * Short.BYTES;

  private static final int GROUP_STRIDE = 8;
  private static final int VECTORS = 2;
  private static final int PAIRS = InputLayout.BF16_STEP / 2;
  private static final int AHEAD = 2048;
  private static final Zmm[] WEIGHTS = {Zmm.ZMM24, Zmm.ZMM25};
  private static final Zmm INPUT = Zmm.ZMM26;

  private Bf16Kernel() {}

  static void write(Assembler asm, int tokens) {
    Label group = new Label();
    Label step = new Label();
    asm.bind(group);
    asm.mov(RAX, RDI);
    asm.mov(R10, RSI);
    asm.mov(R11, R8);
    for (int i = 0; i < VECTORS * tokens; i++) {
      asm.vpxord(Zmm.of(i), Zmm.of(i), Zmm.of(i));
    }
    asm.align(32);
    asm.bind(step);
    for (int pair = 0; pair < PAIRS; pair++) {
      pair(asm, tokens, pair);
    }
    asm.add(RAX, STEP_BYTES);
    asm.add(R10, tokens * PAIRS * Integer.BYTES);
    asm.dec(R11);
    asm.jump(Condition.NOT_ZERO, step);
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < VECTORS; v++) {
        asm.vmovups(at(RDX, BlockCode.VECTOR * v), sum(v, t));
      }
      asm.add(RDX, R9);
    }
    asm.mov(R10, at(RSP, GROUP_STRIDE));
    asm.add(RSI, R10);
    asm.dec(RCX);
    asm.jump(Condition.NOT_ZERO, group);
    asm.vzeroupper();
    asm.ret();
  }

  private static void pair(Assembler asm, int tokens, int pair) {
    for (int v = 0; v < VECTORS; v++) {
      int offset = BlockCode.VECTOR * (VECTORS * pair + v);
      asm.vmovdqu32(WEIGHTS[v], at(RAX, offset));
      asm.prefetcht0(at(RAX, AHEAD + offset));
    }
    for (int t = 0; t < tokens; t++) {
      asm.vpbroadcastd(INPUT, at(R10, (pair * tokens + t) * Integer.BYTES));
      for (int v = 0; v < VECTORS; v++) {
        asm.vdpbf16ps(sum(v, t), WEIGHTS[v], INPUT);
      }
    }
  }

  private static Zmm sum(int vector, int token) {
    return Zmm.of(VECTORS * token + vector);
  }
}
