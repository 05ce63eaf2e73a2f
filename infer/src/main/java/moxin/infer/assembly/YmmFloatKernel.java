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

/// Products of F32 or BF16 weights with groups of up to 6 tokens in fp32, by FMA: one chain for
/// each output, in ascending order along K. Three tokens meet all 32 rows of a tile, more meet 16.
///
/// `void (w, x, y, groups, pairs, yStride, xStride, accumulate)`: strides of tokens in bytes; with
/// `accumulate` 0 the outputs start at 0, otherwise at what y holds. w has, per pair of columns, 32
/// pairs of bf16, or 32 weights in fp32 of each column; with 16 rows, the others are passed over.
final class YmmFloatKernel {
  /// Tokens of a group.
  static final int TOKENS = 6;

  private static final int TILE_VECTORS = 4;
  private static final int MOST_TOKENS_OF_A_TILE = 3;

  private static final int X_STRIDE = 0;
  private static final int ACCUMULATE = 1;
  private static final int GROUPS = 2;
  private static final int Y_STRIDE = 3;

  /// Tokens that one address register leads to.
  private static final int TOKENS_OF_A_BASE = 3;

  /// The first register behind the sums.
  private static final int FREE = 12;

  /// How far ahead of use weights are fetched, in bytes.
  private static final int AHEAD = 4096;

  private static final int LINE = 64;

  private final Assembler asm;
  private final boolean isWide;
  private final int tokens;
  private final int vectors;

  private YmmFloatKernel(Assembler asm, boolean isWide, int tokens) {
    this.asm = asm;
    this.isWide = isWide;
    this.tokens = tokens;
    this.vectors = rows(tokens) / YmmBlockCode.ROWS;
  }

  /// Rows of a call with groups of `tokens`.
  static int rows(int tokens) {
    int vectors = tokens <= MOST_TOKENS_OF_A_TILE ? TILE_VECTORS : TILE_VECTORS / 2;
    return vectors * YmmBlockCode.ROWS;
  }

  /// Bytes of a pair of columns of a tile.
  ///
  /// @param elementBytes of a weight
  static int pairBytes(int elementBytes) {
    return 2 * TILE_VECTORS * YmmBlockCode.ROWS * elementBytes;
  }

  static void writeF32(Assembler asm, int tokens) {
    new YmmFloatKernel(asm, true, tokens).write();
  }

  static void writeBf16(Assembler asm, int tokens) {
    new YmmFloatKernel(asm, false, tokens).write();
  }

  private void write() {
    Label group = new Label();
    Label pair = new Label();
    YmmFrame.open(asm, 2);
    asm.mov(YmmFrame.argument(GROUPS), RCX);
    asm.mov(YmmFrame.argument(Y_STRIDE), R9);
    YmmBlockCode.constant(asm, 0, 0xFFFF0000);
    asm.bind(group);
    begin();
    asm.mov(R9, YmmFrame.argument(X_STRIDE));
    asm.mov(RAX, RDI);
    asm.mov(R10, RSI);
    asm.lea(R11, at(RSI, R9, 2, 0));
    asm.add(R11, R9);
    asm.mov(RCX, R8);
    asm.align(32);
    asm.bind(pair);
    pair();
    asm.add(RAX, pairBytes(isWide ? Float.BYTES : Short.BYTES));
    asm.add(R10, 2 * Float.BYTES);
    asm.add(R11, 2 * Float.BYTES);
    asm.dec(RCX);
    asm.jump(Condition.NOT_ZERO, pair);
    for (int t = 0; t < tokens; t++) {
      asm.add(RSI, R9);
    }
    asm.mov(R9, YmmFrame.argument(Y_STRIDE));
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < vectors; v++) {
        asm.vmovups(at(RDX, YmmBlockCode.VECTOR * v), sum(v, t));
      }
      asm.add(RDX, R9);
    }
    asm.mov(RCX, YmmFrame.argument(GROUPS));
    asm.dec(RCX);
    asm.mov(YmmFrame.argument(GROUPS), RCX);
    asm.jump(Condition.NOT_ZERO, group);
    YmmFrame.close(asm);
  }

  private void begin() {
    Label zero = new Label();
    Label done = new Label();
    asm.mov(R10, YmmFrame.argument(ACCUMULATE));
    asm.test(R10, R10);
    asm.jump(Condition.ZERO, zero);
    asm.mov(RAX, RDX);
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < vectors; v++) {
        asm.vmovups(sum(v, t), at(RAX, YmmBlockCode.VECTOR * v));
      }
      asm.add(RAX, R9);
    }
    asm.jump(done);
    asm.bind(zero);
    for (int i = 0; i < vectors * tokens; i++) {
      asm.vpxord(Ymm.of(i), Ymm.of(i), Ymm.of(i));
    }
    asm.bind(done);
  }

  private void pair() {
    int bytes = pairBytes(isWide ? Float.BYTES : Short.BYTES) * vectors / TILE_VECTORS;
    for (int line = 0; line < bytes; line += LINE) {
      asm.prefetcht0(at(RAX, AHEAD + line));
    }
    for (int column = 0; column < 2; column++) {
      if (vectors == TILE_VECTORS) {
        inputsStay(column);
      } else {
        weightsStay(column);
      }
    }
  }

  private void inputsStay(int column) {
    for (int t = 0; t < tokens; t++) {
      asm.vbroadcastss(Ymm.of(FREE + t), input(t, column));
    }
    Ymm weights = Ymm.of(FREE + MOST_TOKENS_OF_A_TILE);
    for (int v = 0; v < vectors; v++) {
      weights(column, v, weights);
      for (int t = 0; t < tokens; t++) {
        asm.vfmadd231ps(sum(v, t), weights, Ymm.of(FREE + t));
      }
    }
  }

  private void weightsStay(int column) {
    for (int v = 0; v < vectors; v++) {
      weights(column, v, Ymm.of(FREE + v));
    }
    Ymm input = Ymm.of(FREE + vectors);
    for (int t = 0; t < tokens; t++) {
      asm.vbroadcastss(input, input(t, column));
      for (int v = 0; v < vectors; v++) {
        asm.vfmadd231ps(sum(v, t), Ymm.of(FREE + v), input);
      }
    }
  }

  private void weights(int column, int vector, Ymm d) {
    int offset = YmmBlockCode.VECTOR * vector;
    if (isWide) {
      asm.vmovups(d, at(RAX, YmmBlockCode.VECTOR * TILE_VECTORS * column + offset));
      return;
    }
    asm.vmovdqu32(d, at(RAX, offset));
    if (column == 0) {
      asm.vpslld(d, d, 16);
    } else {
      asm.vpandd(d, d, YmmFrame.constant(0));
    }
  }

  private static Memory input(int token, int column) {
    Gpr base = token < TOKENS_OF_A_BASE ? R10 : R11;
    int offset = column * Float.BYTES;
    int times = token % TOKENS_OF_A_BASE;
    return times == 0 ? at(base, offset) : at(base, R9, times, offset);
  }

  private Ymm sum(int vector, int token) {
    return Ymm.of(vectors * token + vector);
  }
}
