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

/// Quantised products of a [Panel] with groups of tokens: 32 rows × up to 6 tokens in registers.
///
/// `void (panel, x, y, groups, blocks, yStride, groupStride, accumulate)`: strides in bytes; with
/// `accumulate` 0 the outputs start at 0, otherwise at what y holds. Groups follow one another in x
/// by `groupStride`, in y by the group's tokens.
final class PanelKernel {
  private static final int GROUP_STRIDE = 8;
  private static final int ACCUMULATE = 16;
  private static final int VECTORS = 2;
  private static final Zmm[] WEIGHTS = {Zmm.ZMM24, Zmm.ZMM25};
  private static final Zmm INPUT = Zmm.ZMM26;
  private static final Zmm[] PRODUCT = {Zmm.ZMM27, Zmm.ZMM28};

  private final Assembler asm;
  private final BlockCode format;
  private final int tokens;

  private PanelKernel(Assembler asm, BlockCode format, int tokens) {
    this.asm = asm;
    this.format = format;
    this.tokens = tokens;
  }

  /// Writes the kernel for groups of `tokens` and the shape and corrections of `format`.
  static void write(Assembler asm, BlockCode format, int tokens) {
    new PanelKernel(asm, format, tokens).write();
  }

  private void write() {
    Label group = new Label();
    Label zero = new Label();
    Label start = new Label();
    Label block = new Label();
    asm.bind(group);
    asm.mov(R10, at(RSP, ACCUMULATE));
    asm.test(R10, R10);
    asm.jump(Condition.ZERO, zero);
    asm.mov(RAX, RDX);
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < VECTORS; v++) {
        asm.vmovups(sum(v, t), at(RAX, BlockCode.VECTOR * v));
      }
      asm.add(RAX, R9);
    }
    asm.jump(start);
    asm.bind(zero);
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < VECTORS; v++) {
        asm.vpxord(sum(v, t), sum(v, t), sum(v, t));
      }
    }
    asm.bind(start);
    asm.mov(RAX, RDI);
    asm.mov(R10, RSI);
    asm.mov(R11, R8);
    asm.align(32);
    asm.bind(block);
    block();
    asm.add(RAX, Panel.BLOCK_BYTES);
    asm.add(R10, tokens * InputLayout.TOKEN_BYTES);
    asm.dec(R11);
    asm.jump(Condition.NOT_ZERO, block);
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

  private void block() {
    switch (format.shape()) {
      case PLAIN -> part(0, 0, BlockCode.QUADS, Panel.SCALES);
      case HALVES -> {
        part(0, 0, BlockCode.QUADS / 2, Panel.SCALES);
        part(1, BlockCode.QUADS / 2, BlockCode.QUADS, Panel.SECOND);
      }
      case MINIMUM -> {
        part(0, 0, BlockCode.QUADS, Panel.SCALES);
        for (int v = 0; v < VECTORS; v++) {
          asm.vmovups(WEIGHTS[v], at(RAX, Panel.SECOND + BlockCode.VECTOR * v));
        }
        for (int t = 0; t < tokens; t++) {
          asm.vbroadcastss(INPUT, value(t, InputLayout.Value.SCALED_SUM));
          for (int v = 0; v < VECTORS; v++) {
            asm.vfnmadd231ps(sum(v, t), WEIGHTS[v], INPUT);
          }
        }
      }
    }
  }

  private void part(int part, int fromQuad, int toQuad, int scales) {
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < VECTORS; v++) {
        if (format.shape() == BlockCode.Shape.MINIMUM) {
          asm.vpxord(dot(v, t), dot(v, t), dot(v, t));
        } else {
          asm.vpbroadcastd(dot(v, t), value(t, format.correction(part)));
        }
      }
    }
    for (int quad = fromQuad; quad < toQuad; quad++) {
      for (int v = 0; v < VECTORS; v++) {
        int offset = Panel.QUADS + quad * Panel.QUAD_BYTES + BlockCode.VECTOR * v;
        asm.vmovdqu32(WEIGHTS[v], at(RAX, offset));
      }
      for (int t = 0; t < tokens; t++) {
        asm.vpbroadcastd(INPUT, at(R10, InputLayout.BLOCK * t + 4 * quad));
        for (int v = 0; v < VECTORS; v++) {
          asm.vpdpbusd(dot(v, t), WEIGHTS[v], INPUT);
        }
      }
    }
    for (int v = 0; v < VECTORS; v++) {
      asm.vmovups(WEIGHTS[v], at(RAX, scales + BlockCode.VECTOR * v));
    }
    for (int t = 0; t < tokens; t++) {
      asm.vbroadcastss(INPUT, value(t, InputLayout.Value.SCALE));
      for (int v = 0; v < VECTORS; v++) {
        asm.vmulps(PRODUCT[v], WEIGHTS[v], INPUT);
        asm.vcvtdq2ps(dot(v, t), dot(v, t));
        asm.vfmadd231ps(sum(v, t), dot(v, t), PRODUCT[v]);
      }
    }
  }

  private Memory value(int token, InputLayout.Value value) {
    return at(R10, InputLayout.valueOffset(tokens, token, value));
  }

  private Zmm dot(int vector, int token) {
    return Zmm.of(VECTORS * token + vector);
  }

  private Zmm sum(int vector, int token) {
    return Zmm.of(VECTORS * (InputLayout.INT8_TOKENS + token) + vector);
  }
}
