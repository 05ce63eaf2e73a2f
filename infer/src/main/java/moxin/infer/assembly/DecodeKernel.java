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
import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Zmm.ZMM30;
import static moxin.infer.assembly.Zmm.ZMM31;

/// Quantised products of up to 8 tokens, straight from packed weights, which are read once and in
/// order: bound by memory.
///
/// `void (w, x, y, panels, units, yStride)`: panels of 16 rows follow one another in `w` and, by 64
/// bytes, in y; `units` of a panel; y's stride in bytes.
final class DecodeKernel {
  private static final Zmm WEIGHTS = ZMM30;
  private static final Zmm PRODUCT = ZMM31;
  private static final int LINE = 64;

  /// How far ahead of use weights are fetched, in bytes: more than the largest unit.
  private static final int AHEAD = 4096;

  private final Assembler asm;
  private final BlockCode format;
  private final int tokens;

  private DecodeKernel(Assembler asm, BlockCode format, int tokens) {
    this.asm = asm;
    this.format = format;
    this.tokens = tokens;
  }

  static void write(Assembler asm, BlockCode format, int tokens) {
    new DecodeKernel(asm, format, tokens).write();
  }

  private void write() {
    Label panel = new Label();
    Label unit = new Label();
    format.constants(asm);
    asm.bind(panel);
    asm.mov(R10, RSI);
    asm.mov(R11, R8);
    for (int t = 0; t < tokens; t++) {
      asm.vpxord(sum(t), sum(t), sum(t));
    }
    asm.bind(unit);
    format.beginUnit(asm, RDI);
    for (int block = 0; block < format.blocks(); block++) {
      block(block);
      asm.add(R10, tokens * InputLayout.TOKEN_BYTES);
    }
    asm.add(RDI, format.unitBytes());
    asm.dec(R11);
    asm.jump(Condition.NOT_ZERO, unit);
    asm.mov(RAX, RDX);
    for (int t = 0; t < tokens; t++) {
      asm.vmovups(at(RAX, 0), sum(t));
      asm.add(RAX, R9);
    }
    asm.add(RDX, BlockCode.VECTOR);
    asm.dec(RCX);
    asm.jump(Condition.NOT_ZERO, panel);
    asm.vzeroupper();
    asm.ret();
  }

  private void block(int block) {
    format.scales(asm, RDI, block);
    switch (format.shape()) {
      case PLAIN -> part(block, 0, 0, BlockCode.QUADS, BlockCode.SCALE);
      case HALVES -> {
        part(block, 0, 0, BlockCode.QUADS / 2, BlockCode.SCALE);
        part(block, 1, BlockCode.QUADS / 2, BlockCode.QUADS, BlockCode.SECOND);
      }
      case MINIMUM -> {
        part(block, 0, 0, BlockCode.QUADS, BlockCode.SCALE);
        for (int t = 0; t < tokens; t++) {
          Memory scaledSum = value(t, InputLayout.Value.SCALED_SUM);
          asm.vfnmadd231ps(sum(t), BlockCode.SECOND, scaledSum.broadcast());
        }
      }
    }
  }

  private void part(int block, int part, int fromQuad, int toQuad, Zmm scale) {
    for (int t = 0; t < tokens; t++) {
      if (format.shape() == BlockCode.Shape.MINIMUM) {
        asm.vpxord(dot(t), dot(t), dot(t));
      } else {
        asm.vpbroadcastd(dot(t), value(t, format.correction(part)));
      }
    }
    for (int i = fromQuad; i < toQuad; i++) {
      prefetch(block * BlockCode.QUADS + i);
      int quad = format.quad(i);
      format.weights(asm, RDI, block, quad, WEIGHTS);
      for (int t = 0; t < tokens; t++) {
        asm.vpdpbusd(dot(t), WEIGHTS, at(R10, InputLayout.BLOCK * t + 4 * quad).broadcast());
      }
    }
    for (int t = 0; t < tokens; t++) {
      asm.vmulps(PRODUCT, scale, value(t, InputLayout.Value.SCALE).broadcast());
      asm.vcvtdq2ps(dot(t), dot(t));
      asm.vfmadd231ps(sum(t), dot(t), PRODUCT);
    }
  }

  /// Fetches a quad's share of the lines of a unit, so that fetching is even.
  private void prefetch(int quad) {
    int lines = Math.ceilDiv(format.unitBytes(), LINE);
    int quads = format.blocks() * BlockCode.QUADS;
    for (int line = lines * quad / quads; line < lines * (quad + 1) / quads; line++) {
      asm.prefetcht0(at(RDI, AHEAD + line * LINE));
    }
  }

  private Memory value(int token, InputLayout.Value value) {
    return at(R10, InputLayout.valueOffset(tokens, token, value));
  }

  private static Zmm dot(int token) {
    return Zmm.of(token);
  }

  private static Zmm sum(int token) {
    return Zmm.of(InputLayout.DECODE_TOKENS + token);
  }
}
