package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorPanel.ROWS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// The inner loops of products of quantised weights: a panel of shorts with quantised activations,
/// in 16-bit lanes.
///
/// Written out token by token: every vector has to be a local variable.
final class VectorIntegerLoops {

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  /// Bytes from column to column of inputs of several tokens.
  private static final int STEP = 2 * VectorLayout.GROUP;

  private VectorIntegerLoops() {}

  /// Sums of products of `count` columns from row `k` of the panel, for the tokens `[0, tokens)`,
  /// 1, 3 or 6, to `sums[token · ROWS + row]`. Each sum has to fit 16 bits.
  ///
  /// @param at where the activations of the first token begin
  static void multiply(
      short[] panel, int k, int count, int tokens, MemorySegment x, long at, short[] sums) {
    for (int row = 0; row < ROWS; row += 4 * LANES) {
      int w = k * ROWS + row;
      switch (tokens) {
        case 6 -> rows2x6(panel, w, count, x, at, sums, row);
        case 3 -> rows2x3(panel, w, count, x, at, sums, row);
        default -> rows2x1(panel, w, count, x, at, sums, row);
      }
    }
  }

  /// The same for a block of Q8_0, whose sums do not fit 16 bits: `sums` modulo 2^16, and in
  /// `coarse` the sums of pairs of products divided by 64 and rounded down, which tell the upper
  /// bits.
  static void multiplyPairs(
      short[] panel, int k, int tokens, MemorySegment x, long at, short[] sums, short[] coarse) {
    for (int row = 0; row < ROWS; row += 4 * LANES) {
      int w = k * ROWS + row;
      switch (tokens) {
        case 6 -> {
          pairs2x3(panel, w, x, at, sums, coarse, row);
          pairs2x3(panel, w, x, at + 6, sums, coarse, row + 3 * ROWS);
        }
        case 3 -> pairs2x3(panel, w, x, at, sums, coarse, row);
        default -> pairs2x1(panel, w, x, at, sums, coarse, row);
      }
    }
  }

  /// Two vectors of rows and 6 tokens, a segment whose sums fit 16 bits.
  private static void rows2x6(
      short[] panel, int w, int count, MemorySegment x, long at, short[] sums, int to) {
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    ShortVector a1 = a0;
    ShortVector b1 = a0;
    ShortVector a2 = a0;
    ShortVector b2 = a0;
    ShortVector a3 = a0;
    ShortVector b3 = a0;
    ShortVector a4 = a0;
    ShortVector b4 = a0;
    ShortVector a5 = a0;
    ShortVector b5 = a0;
    for (int k = 0; k < count; k++, w += ROWS, at += STEP) {
      ShortVector w0 = ShortVector.fromArray(SHORTS, panel, w);
      ShortVector w1 = ShortVector.fromArray(SHORTS, panel, w + 2 * LANES);
      ShortVector v = ShortVector.broadcast(SHORTS, x.get(SHORT, at));
      a0 = a0.add(w0.mul(v));
      b0 = b0.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 2));
      a1 = a1.add(w0.mul(v));
      b1 = b1.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 4));
      a2 = a2.add(w0.mul(v));
      b2 = b2.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 6));
      a3 = a3.add(w0.mul(v));
      b3 = b3.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 8));
      a4 = a4.add(w0.mul(v));
      b4 = b4.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 10));
      a5 = a5.add(w0.mul(v));
      b5 = b5.add(w1.mul(v));
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + 2 * LANES);
    a1.intoArray(sums, to + ROWS);
    b1.intoArray(sums, to + ROWS + 2 * LANES);
    a2.intoArray(sums, to + 2 * ROWS);
    b2.intoArray(sums, to + 2 * ROWS + 2 * LANES);
    a3.intoArray(sums, to + 3 * ROWS);
    b3.intoArray(sums, to + 3 * ROWS + 2 * LANES);
    a4.intoArray(sums, to + 4 * ROWS);
    b4.intoArray(sums, to + 4 * ROWS + 2 * LANES);
    a5.intoArray(sums, to + 5 * ROWS);
    b5.intoArray(sums, to + 5 * ROWS + 2 * LANES);
  }

  /// Two vectors of rows and 3 tokens, a segment whose sums fit 16 bits.
  private static void rows2x3(
      short[] panel, int w, int count, MemorySegment x, long at, short[] sums, int to) {
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    ShortVector a1 = a0;
    ShortVector b1 = a0;
    ShortVector a2 = a0;
    ShortVector b2 = a0;
    for (int k = 0; k < count; k++, w += ROWS, at += STEP) {
      ShortVector w0 = ShortVector.fromArray(SHORTS, panel, w);
      ShortVector w1 = ShortVector.fromArray(SHORTS, panel, w + 2 * LANES);
      ShortVector v = ShortVector.broadcast(SHORTS, x.get(SHORT, at));
      a0 = a0.add(w0.mul(v));
      b0 = b0.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 2));
      a1 = a1.add(w0.mul(v));
      b1 = b1.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 4));
      a2 = a2.add(w0.mul(v));
      b2 = b2.add(w1.mul(v));
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + 2 * LANES);
    a1.intoArray(sums, to + ROWS);
    b1.intoArray(sums, to + ROWS + 2 * LANES);
    a2.intoArray(sums, to + 2 * ROWS);
    b2.intoArray(sums, to + 2 * ROWS + 2 * LANES);
  }

  /// Two vectors of rows and 1 token, a segment whose sums fit 16 bits.
  private static void rows2x1(
      short[] panel, int w, int count, MemorySegment x, long at, short[] sums, int to) {
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    for (int k = 0; k < count; k++, w += ROWS, at += STEP) {
      ShortVector w0 = ShortVector.fromArray(SHORTS, panel, w);
      ShortVector w1 = ShortVector.fromArray(SHORTS, panel, w + 2 * LANES);
      ShortVector v = ShortVector.broadcast(SHORTS, x.get(SHORT, at));
      a0 = a0.add(w0.mul(v));
      b0 = b0.add(w1.mul(v));
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + 2 * LANES);
  }

  /// Two vectors of rows and 3 tokens, a block of Q8_0: sums modulo 2^16, and sums of 64ths of
  /// pairs of products.
  private static void pairs2x3(
      short[] panel, int w, MemorySegment x, long at, short[] sums, short[] coarse, int to) {
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    ShortVector c0 = a0;
    ShortVector d0 = a0;
    ShortVector a1 = a0;
    ShortVector b1 = a0;
    ShortVector c1 = a0;
    ShortVector d1 = a0;
    ShortVector a2 = a0;
    ShortVector b2 = a0;
    ShortVector c2 = a0;
    ShortVector d2 = a0;
    for (int k = 0; k < BLOCK; k += 2, w += 2 * ROWS, at += 2 * STEP) {
      ShortVector w0 = ShortVector.fromArray(SHORTS, panel, w);
      ShortVector w1 = ShortVector.fromArray(SHORTS, panel, w + 2 * LANES);
      ShortVector u0 = ShortVector.fromArray(SHORTS, panel, w + ROWS);
      ShortVector u1 = ShortVector.fromArray(SHORTS, panel, w + ROWS + 2 * LANES);
      ShortVector v = ShortVector.broadcast(SHORTS, x.get(SHORT, at));
      ShortVector z = ShortVector.broadcast(SHORTS, x.get(SHORT, at + STEP));
      ShortVector p = w0.mul(v).add(u0.mul(z));
      a0 = a0.add(p);
      c0 = c0.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b0 = b0.add(p);
      d0 = d0.add(p.lanewise(VectorOperators.ASHR, 6));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 2));
      z = ShortVector.broadcast(SHORTS, x.get(SHORT, at + STEP + 2));
      p = w0.mul(v).add(u0.mul(z));
      a1 = a1.add(p);
      c1 = c1.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b1 = b1.add(p);
      d1 = d1.add(p.lanewise(VectorOperators.ASHR, 6));
      v = ShortVector.broadcast(SHORTS, x.get(SHORT, at + 4));
      z = ShortVector.broadcast(SHORTS, x.get(SHORT, at + STEP + 4));
      p = w0.mul(v).add(u0.mul(z));
      a2 = a2.add(p);
      c2 = c2.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b2 = b2.add(p);
      d2 = d2.add(p.lanewise(VectorOperators.ASHR, 6));
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + 2 * LANES);
    c0.intoArray(coarse, to);
    d0.intoArray(coarse, to + 2 * LANES);
    a1.intoArray(sums, to + ROWS);
    b1.intoArray(sums, to + ROWS + 2 * LANES);
    c1.intoArray(coarse, to + ROWS);
    d1.intoArray(coarse, to + ROWS + 2 * LANES);
    a2.intoArray(sums, to + 2 * ROWS);
    b2.intoArray(sums, to + 2 * ROWS + 2 * LANES);
    c2.intoArray(coarse, to + 2 * ROWS);
    d2.intoArray(coarse, to + 2 * ROWS + 2 * LANES);
  }

  /// Two vectors of rows and 1 token, a block of Q8_0: sums modulo 2^16, and sums of 64ths of pairs
  /// of products.
  private static void pairs2x1(
      short[] panel, int w, MemorySegment x, long at, short[] sums, short[] coarse, int to) {
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    ShortVector c0 = a0;
    ShortVector d0 = a0;
    for (int k = 0; k < BLOCK; k += 2, w += 2 * ROWS, at += 2 * STEP) {
      ShortVector w0 = ShortVector.fromArray(SHORTS, panel, w);
      ShortVector w1 = ShortVector.fromArray(SHORTS, panel, w + 2 * LANES);
      ShortVector u0 = ShortVector.fromArray(SHORTS, panel, w + ROWS);
      ShortVector u1 = ShortVector.fromArray(SHORTS, panel, w + ROWS + 2 * LANES);
      ShortVector v = ShortVector.broadcast(SHORTS, x.get(SHORT, at));
      ShortVector z = ShortVector.broadcast(SHORTS, x.get(SHORT, at + STEP));
      ShortVector p = w0.mul(v).add(u0.mul(z));
      a0 = a0.add(p);
      c0 = c0.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b0 = b0.add(p);
      d0 = d0.add(p.lanewise(VectorOperators.ASHR, 6));
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + 2 * LANES);
    c0.intoArray(coarse, to);
    d0.intoArray(coarse, to + 2 * LANES);
  }
}
