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
import static moxin.infer.assembly.YmmBlockCode.FREE;
import static moxin.infer.assembly.YmmBlockCode.INPUT;
import static moxin.infer.assembly.YmmBlockCode.SECOND_FREE;
import static moxin.infer.assembly.YmmBlockCode.WEIGHTS;

/// Quantised products of up to 8 tokens with AVX2, straight from packed weights: as [DecodeKernel],
/// with panels of 8 rows that follow one another by 32 bytes in y.
final class YmmDecodeKernel {
  private static final Ymm ONES = Ymm.YMM10;
  private static final int LINE = 64;

  /// Up to how many tokens sums stay in registers.
  private static final int REGISTER_SUMS = 4;

  /// How far ahead of use weights are fetched, in bytes: more than the largest unit.
  private static final int AHEAD = 4096;

  private final Assembler asm;
  private final YmmBlockCode format;
  private final ByteDots dots;
  private final int tokens;

  private YmmDecodeKernel(Assembler asm, YmmBlockCode format, ByteDots dots, int tokens) {
    this.asm = asm;
    this.format = format;
    this.dots = dots;
    this.tokens = tokens;
  }

  static void write(Assembler asm, YmmBlockCode format, ByteDots dots, int tokens) {
    new YmmDecodeKernel(asm, format, dots, tokens).write();
  }

  private void write() {
    Label panel = new Label();
    Label unit = new Label();
    YmmFrame.open(asm, 0);
    format.constants(asm);
    if (dots == ByteDots.MULTIPLY_ADD) {
      BlockCode.constant(asm, ONES, 0x00010001);
    }
    asm.bind(panel);
    asm.mov(R10, RSI);
    asm.mov(R11, R8);
    clearSums();
    asm.bind(unit);
    format.beginUnit(asm, RDI);
    for (int block = 0; block < format.blocks(); block++) {
      switch (format.shape()) {
        case PLAIN, MINIMUM -> part(block, 0, 0, BlockCode.QUADS);
        case HALVES -> {
          part(block, 0, 0, BlockCode.QUADS / 2);
          part(block, 1, BlockCode.QUADS / 2, BlockCode.QUADS);
        }
      }
      asm.add(R10, tokens * InputLayout.TOKEN_BYTES);
    }
    asm.add(RDI, format.unitBytes());
    asm.dec(R11);
    asm.jump(Condition.NOT_ZERO, unit);
    storeSums();
    asm.add(RDX, YmmBlockCode.VECTOR);
    asm.dec(RCX);
    asm.jump(Condition.NOT_ZERO, panel);
    YmmFrame.close(asm);
  }

  private void clearSums() {
    if (hasRegisterSums()) {
      for (int t = 0; t < tokens; t++) {
        asm.vpxord(sum(t), sum(t), sum(t));
      }
    } else {
      asm.vpxord(FREE, FREE, FREE);
      for (int t = 0; t < tokens; t++) {
        asm.vmovups(YmmFrame.sum(t), FREE);
      }
    }
  }

  private void storeSums() {
    asm.mov(RAX, RDX);
    for (int t = 0; t < tokens; t++) {
      Ymm sum = hasRegisterSums() ? sum(t) : FREE;
      if (!hasRegisterSums()) {
        asm.vmovups(sum, YmmFrame.sum(t));
      }
      asm.vmovups(at(RAX, 0), sum);
      asm.add(RAX, R9);
    }
  }

  private void part(int block, int part, int fromQuad, int toQuad) {
    for (int t = 0; t < tokens; t++) {
      if (format.isCorrected()) {
        asm.vpbroadcastd(dot(t), value(t, format.correction(part)));
      } else {
        asm.vpxord(dot(t), dot(t), dot(t));
      }
    }
    for (int i = fromQuad; i < toQuad; i++) {
      prefetch(block * BlockCode.QUADS + i);
      int quad = format.quad(i);
      format.weights(asm, RDI, block, quad, WEIGHTS);
      if (format.isSigned()) {
        asm.vpabsb(SECOND_FREE, WEIGHTS);
      }
      for (int t = 0; t < tokens; t++) {
        asm.vpbroadcastd(INPUT, at(R10, InputLayout.BLOCK * t + 4 * quad));
        add(dot(t));
      }
    }
    format.scale(asm, RDI, block, part, FREE);
    if (format.shape() == BlockCode.Shape.MINIMUM) {
      asm.vmovups(SECOND_FREE, format.minimum(block));
    }
    for (int t = 0; t < tokens; t++) {
      finish(t);
    }
  }

  /// Adds the products of weights and inputs to `dot`.
  private void add(Ymm dot) {
    if (dots == ByteDots.VNNI) {
      asm.vpdpbusd(dot, WEIGHTS, INPUT);
      return;
    }
    Ymm magnitudes = WEIGHTS;
    if (format.isSigned()) {
      asm.vpsignb(INPUT, INPUT, WEIGHTS);
      magnitudes = SECOND_FREE;
    }
    asm.vpmaddubsw(INPUT, magnitudes, INPUT);
    asm.vpmaddwd(INPUT, INPUT, ONES);
    asm.vpaddd(dot, dot, INPUT);
  }

  private void finish(int t) {
    asm.vbroadcastss(INPUT, value(t, InputLayout.Value.SCALE));
    asm.vmulps(INPUT, FREE, INPUT);
    asm.vcvtdq2ps(dot(t), dot(t));
    Ymm sum = hasRegisterSums() ? sum(t) : dot(t);
    if (hasRegisterSums()) {
      asm.vfmadd231ps(sum, dot(t), INPUT);
    } else {
      asm.vfmadd213ps(sum, INPUT, YmmFrame.sum(t));
    }
    if (format.shape() == BlockCode.Shape.MINIMUM) {
      asm.vbroadcastss(INPUT, value(t, InputLayout.Value.SCALED_SUM));
      asm.vfnmadd231ps(sum, SECOND_FREE, INPUT);
    }
    if (!hasRegisterSums()) {
      asm.vmovups(YmmFrame.sum(t), sum);
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

  private boolean hasRegisterSums() {
    return tokens <= REGISTER_SUMS;
  }

  private static Ymm dot(int token) {
    return Ymm.of(token);
  }

  private static Ymm sum(int token) {
    return Ymm.of(REGISTER_SUMS + token);
  }
}
