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

/// Quantised products of a [Panel] with groups of tokens with AVX2: as [PanelKernel], with dot
/// products of up to 6 tokens in registers, for 16 rows where `vpdpbusd` needs no others and for 8
/// elsewhere, and sums in memory.
abstract class YmmPanelKernel {
  private static final int GROUP_STRIDE = 0;
  private static final int ACCUMULATE = 1;

  static final Ymm[] WEIGHTS = {Ymm.YMM12, Ymm.YMM13};
  static final Ymm INPUT = Ymm.YMM14;
  static final Ymm LAST = Ymm.YMM15;

  final Assembler asm;
  final YmmBlockCode format;
  final int tokens;

  /// Vectors of rows.
  private final int vectors;

  YmmPanelKernel(Assembler asm, YmmBlockCode format, int tokens, int vectors) {
    this.asm = asm;
    this.format = format;
    this.tokens = tokens;
    this.vectors = vectors;
  }

  /// Rows that a call multiplies.
  static int rows(ByteDots dots) {
    return YmmBlockCode.ROWS * (dots == ByteDots.VNNI ? 2 : 1);
  }

  /// Writes the kernel for groups of `tokens` and the shape and corrections of `format`.
  static void write(Assembler asm, YmmBlockCode format, ByteDots dots, int tokens) {
    YmmPanelKernel kernel =
        switch (dots) {
          case VNNI -> new Vnni(asm, format, tokens);
          case MULTIPLY_ADD -> new MultiplyAdd(asm, format, tokens);
        };
    kernel.write();
  }

  /// Leaves the dot products of some quads in [#dot].
  abstract void dots(int part, int fromQuad, int toQuad);

  /// Loads constants. Changes rax.
  abstract void constants();

  /// A register that is free where dot products are complete.
  abstract Ymm product();

  private void write() {
    Label group = new Label();
    Label zero = new Label();
    Label start = new Label();
    Label block = new Label();
    YmmFrame.open(asm, 2);
    constants();
    asm.bind(group);
    asm.mov(R10, YmmFrame.argument(ACCUMULATE));
    asm.test(R10, R10);
    asm.jump(Condition.ZERO, zero);
    moveSums(RDX, false);
    asm.jump(start);
    asm.bind(zero);
    asm.vpxord(INPUT, INPUT, INPUT);
    for (int i = 0; i < vectors * tokens; i++) {
      asm.vmovups(YmmFrame.sum(i), INPUT);
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
    moveSums(RDX, true);
    asm.mov(RDX, RAX);
    asm.mov(R10, YmmFrame.argument(GROUP_STRIDE));
    asm.add(RSI, R10);
    asm.dec(RCX);
    asm.jump(Condition.NOT_ZERO, group);
    YmmFrame.close(asm);
  }

  /// Copies sums between the frame and y; rax is behind the last token then.
  private void moveSums(Gpr y, boolean isOut) {
    asm.mov(RAX, y);
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < vectors; v++) {
        Memory outside = at(RAX, YmmBlockCode.VECTOR * v);
        asm.vmovups(INPUT, isOut ? sum(v, t) : outside);
        asm.vmovups(isOut ? outside : sum(v, t), INPUT);
      }
      asm.add(RAX, R9);
    }
  }

  private void block() {
    switch (format.shape()) {
      case PLAIN, MINIMUM -> part(0, 0, BlockCode.QUADS, Panel.SCALES);
      case HALVES -> {
        part(0, 0, BlockCode.QUADS / 2, Panel.SCALES);
        part(1, BlockCode.QUADS / 2, BlockCode.QUADS, Panel.SECOND);
      }
    }
  }

  private void part(int part, int fromQuad, int toQuad, int scales) {
    dots(part, fromQuad, toQuad);
    boolean hasMinimum = format.shape() == BlockCode.Shape.MINIMUM;
    load(scales);
    for (int t = 0; t < tokens; t++) {
      asm.vbroadcastss(INPUT, value(t, InputLayout.Value.SCALE));
      for (int v = 0; v < vectors; v++) {
        asm.vmulps(product(), WEIGHTS[v], INPUT);
        asm.vcvtdq2ps(dot(v, t), dot(v, t));
        asm.vfmadd213ps(dot(v, t), product(), sum(v, t));
        if (!hasMinimum) {
          asm.vmovups(sum(v, t), dot(v, t));
        }
      }
    }
    if (hasMinimum) {
      load(Panel.SECOND);
      for (int t = 0; t < tokens; t++) {
        asm.vbroadcastss(INPUT, value(t, InputLayout.Value.SCALED_SUM));
        for (int v = 0; v < vectors; v++) {
          asm.vfnmadd231ps(dot(v, t), WEIGHTS[v], INPUT);
          asm.vmovups(sum(v, t), dot(v, t));
        }
      }
    }
  }

  /// Loads a vector of the panel for each vector of rows.
  final void load(int offset) {
    for (int v = 0; v < vectors; v++) {
      asm.vmovups(WEIGHTS[v], at(RAX, offset + YmmBlockCode.VECTOR * v));
    }
  }

  /// Begins the accumulator of a token.
  final void begin(int part, int vector, int token) {
    Ymm dot = dot(vector, token);
    if (format.isCorrected()) {
      asm.vpbroadcastd(dot, value(token, format.correction(part)));
    } else {
      asm.vpxord(dot, dot, dot);
    }
  }

  /// Repeats the inputs of a quad in all lanes.
  final void input(int token, int quad) {
    asm.vpbroadcastd(INPUT, at(R10, InputLayout.BLOCK * token + 4 * quad));
  }

  private Memory value(int token, InputLayout.Value value) {
    return at(R10, InputLayout.valueOffset(tokens, token, value));
  }

  final Ymm dot(int vector, int token) {
    return Ymm.of(vectors * token + vector);
  }

  private Memory sum(int vector, int token) {
    return YmmFrame.sum(vectors * token + vector);
  }

  /// Two vectors of rows.
  private static final class Vnni extends YmmPanelKernel {
    private static final int VECTORS = 2;

    Vnni(Assembler asm, YmmBlockCode format, int tokens) {
      super(asm, format, tokens, VECTORS);
    }

    @Override
    void constants() {}

    @Override
    Ymm product() {
      return LAST;
    }

    @Override
    void dots(int part, int fromQuad, int toQuad) {
      for (int t = 0; t < tokens; t++) {
        for (int v = 0; v < VECTORS; v++) {
          begin(part, v, t);
        }
      }
      for (int quad = fromQuad; quad < toQuad; quad++) {
        load(Panel.QUADS + quad * Panel.QUAD_BYTES);
        for (int t = 0; t < tokens; t++) {
          input(t, quad);
          for (int v = 0; v < VECTORS; v++) {
            asm.vpdpbusd(dot(v, t), WEIGHTS[v], INPUT);
          }
        }
      }
    }
  }

  /// One vector of rows. As many quads as cannot saturate are added up in 16 bits.
  private static final class MultiplyAdd extends YmmPanelKernel {
    private static final Ymm MAGNITUDES = WEIGHTS[1];

    MultiplyAdd(Assembler asm, YmmBlockCode format, int tokens) {
      super(asm, format, tokens, 1);
    }

    @Override
    void constants() {
      BlockCode.constant(asm, LAST, 0x00010001);
    }

    @Override
    Ymm product() {
      return MAGNITUDES;
    }

    @Override
    void dots(int part, int fromQuad, int toQuad) {
      for (int t = 0; t < tokens; t++) {
        begin(part, 0, t);
      }
      if (format.isSigned()) {
        signedDots(fromQuad, toQuad);
        return;
      }
      int most = ByteDots.quadsOf16Bits(format.largest());
      for (int first = fromQuad; first < toQuad; first += most) {
        int end = Math.min(toQuad, first + most);
        for (int quad = first; quad < end; quad++) {
          load(Panel.QUADS + quad * Panel.QUAD_BYTES);
          for (int t = 0; t < tokens; t++) {
            input(t, quad);
            if (quad == first) {
              asm.vpmaddubsw(words(t), WEIGHTS[0], INPUT);
            } else {
              asm.vpmaddubsw(INPUT, WEIGHTS[0], INPUT);
              asm.vpaddw(words(t), words(t), INPUT);
            }
          }
        }
        for (int t = 0; t < tokens; t++) {
          asm.vpmaddwd(words(t), words(t), LAST);
          asm.vpaddd(dot(0, t), dot(0, t), words(t));
        }
      }
    }

    private void signedDots(int fromQuad, int toQuad) {
      for (int quad = fromQuad; quad < toQuad; quad++) {
        load(Panel.QUADS + quad * Panel.QUAD_BYTES);
        asm.vpabsb(MAGNITUDES, WEIGHTS[0]);
        for (int t = 0; t < tokens; t++) {
          input(t, quad);
          asm.vpsignb(INPUT, INPUT, WEIGHTS[0]);
          asm.vpmaddubsw(INPUT, MAGNITUDES, INPUT);
          asm.vpmaddwd(INPUT, INPUT, LAST);
          asm.vpaddd(dot(0, t), dot(0, t), INPUT);
        }
      }
    }

    /// 16-bit sums of a token.
    private Ymm words(int token) {
      return Ymm.of(InputLayout.INT8_TOKENS + token);
    }
  }
}
