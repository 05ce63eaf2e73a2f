package moxin.infer.kernel;

import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorMemory.ALL;
import static moxin.infer.kernel.VectorPanel.LINES;
import static moxin.infer.kernel.VectorWidth.BYTES;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// The inner loops of products of quantised weights: a panel of shorts with quantised activations,
/// in 16-bit lanes. All `long` parameters are addresses.
///
/// Written out token by token: every vector has to be a local variable.
final class VectorIntegerLoops {

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  /// Bytes from column to column of inputs of several tokens.
  private static final int STEP = 2 * VectorLayout.GROUP;

  private VectorIntegerLoops() {}

  /// Sums of products of `count` columns of the panel from `panel` on, for the tokens `[0,
  /// tokens)`, 1, 3 or 6, to `sums`, a line of the panel for each token. Each sum has to fit 16
  /// bits.
  ///
  /// @param x the activation of the first token for the first column
  static void multiply(long panel, int count, int tokens, long x, long sums) {
    for (int row = 0; row < LINES; row += 2 * BYTES) {
      switch (tokens) {
        case 6 -> rows2x6(panel + row, count, x, sums + row);
        case 3 -> rows2x3(panel + row, count, x, sums + row);
        default -> rows2x1(panel + row, count, x, sums + row);
      }
    }
  }

  /// The same for a block of Q8_0, whose sums do not fit 16 bits: `sums` modulo 2^16, and in
  /// `coarse` the sums of pairs of products divided by 64 and rounded down, which tell the upper
  /// bits.
  static void multiplyPairs(long panel, int tokens, long x, long sums, long coarse) {
    for (int row = 0; row < LINES; row += 2 * BYTES) {
      switch (tokens) {
        case 6 -> {
          pairs2x3(panel + row, x, sums + row, coarse + row);
          pairs2x3(panel + row, x + 6, sums + row + 3 * LINES, coarse + row + 3 * LINES);
        }
        case 3 -> pairs2x3(panel + row, x, sums + row, coarse + row);
        default -> pairs2x1(panel + row, x, sums + row, coarse + row);
      }
    }
  }

  /// Two vectors of rows and 6 tokens, a segment whose sums fit 16 bits.
  private static void rows2x6(long panel, int count, long x, long sums) {
    panel = VectorMemory.address(panel);
    x = VectorMemory.address(x);
    sums = VectorMemory.address(sums);
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
    for (int k = 0; k < count; k++) {
      long w = panel + (long) LINES * (k & 31);
      long at = x + (long) STEP * (k & 31);
      ShortVector w0 = ShortVector.fromMemorySegment(SHORTS, ALL, w, ORDER);
      ShortVector w1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + BYTES, ORDER);
      ShortVector v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at));
      a0 = a0.add(w0.mul(v));
      b0 = b0.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 2));
      a1 = a1.add(w0.mul(v));
      b1 = b1.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 4));
      a2 = a2.add(w0.mul(v));
      b2 = b2.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 6));
      a3 = a3.add(w0.mul(v));
      b3 = b3.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 8));
      a4 = a4.add(w0.mul(v));
      b4 = b4.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 10));
      a5 = a5.add(w0.mul(v));
      b5 = b5.add(w1.mul(v));
    }
    a0.intoMemorySegment(ALL, sums, ORDER);
    b0.intoMemorySegment(ALL, sums + BYTES, ORDER);
    a1.intoMemorySegment(ALL, sums + LINES, ORDER);
    b1.intoMemorySegment(ALL, sums + LINES + BYTES, ORDER);
    a2.intoMemorySegment(ALL, sums + 2 * LINES, ORDER);
    b2.intoMemorySegment(ALL, sums + 2 * LINES + BYTES, ORDER);
    a3.intoMemorySegment(ALL, sums + 3 * LINES, ORDER);
    b3.intoMemorySegment(ALL, sums + 3 * LINES + BYTES, ORDER);
    a4.intoMemorySegment(ALL, sums + 4 * LINES, ORDER);
    b4.intoMemorySegment(ALL, sums + 4 * LINES + BYTES, ORDER);
    a5.intoMemorySegment(ALL, sums + 5 * LINES, ORDER);
    b5.intoMemorySegment(ALL, sums + 5 * LINES + BYTES, ORDER);
  }

  /// Two vectors of rows and 3 tokens, a segment whose sums fit 16 bits.
  private static void rows2x3(long panel, int count, long x, long sums) {
    panel = VectorMemory.address(panel);
    x = VectorMemory.address(x);
    sums = VectorMemory.address(sums);
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    ShortVector a1 = a0;
    ShortVector b1 = a0;
    ShortVector a2 = a0;
    ShortVector b2 = a0;
    for (int k = 0; k < count; k++) {
      long w = panel + (long) LINES * (k & 31);
      long at = x + (long) STEP * (k & 31);
      ShortVector w0 = ShortVector.fromMemorySegment(SHORTS, ALL, w, ORDER);
      ShortVector w1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + BYTES, ORDER);
      ShortVector v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at));
      a0 = a0.add(w0.mul(v));
      b0 = b0.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 2));
      a1 = a1.add(w0.mul(v));
      b1 = b1.add(w1.mul(v));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 4));
      a2 = a2.add(w0.mul(v));
      b2 = b2.add(w1.mul(v));
    }
    a0.intoMemorySegment(ALL, sums, ORDER);
    b0.intoMemorySegment(ALL, sums + BYTES, ORDER);
    a1.intoMemorySegment(ALL, sums + LINES, ORDER);
    b1.intoMemorySegment(ALL, sums + LINES + BYTES, ORDER);
    a2.intoMemorySegment(ALL, sums + 2 * LINES, ORDER);
    b2.intoMemorySegment(ALL, sums + 2 * LINES + BYTES, ORDER);
  }

  /// Two vectors of rows and 1 token, a segment whose sums fit 16 bits.
  private static void rows2x1(long panel, int count, long x, long sums) {
    panel = VectorMemory.address(panel);
    x = VectorMemory.address(x);
    sums = VectorMemory.address(sums);
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    for (int k = 0; k < count; k++) {
      long w = panel + (long) LINES * (k & 31);
      long at = x + (long) STEP * (k & 31);
      ShortVector w0 = ShortVector.fromMemorySegment(SHORTS, ALL, w, ORDER);
      ShortVector w1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + BYTES, ORDER);
      ShortVector v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at));
      a0 = a0.add(w0.mul(v));
      b0 = b0.add(w1.mul(v));
    }
    a0.intoMemorySegment(ALL, sums, ORDER);
    b0.intoMemorySegment(ALL, sums + BYTES, ORDER);
  }

  /// Two vectors of rows and 3 tokens, a block of Q8_0: sums modulo 2^16, and sums of 64ths of
  /// pairs of products.
  private static void pairs2x3(long panel, long x, long sums, long coarse) {
    panel = VectorMemory.address(panel);
    x = VectorMemory.address(x);
    sums = VectorMemory.address(sums);
    coarse = VectorMemory.address(coarse);
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
    for (int k = 0; k < BLOCK; k += 2) {
      long w = panel + (long) LINES * (k & 31);
      long at = x + (long) STEP * (k & 31);
      ShortVector w0 = ShortVector.fromMemorySegment(SHORTS, ALL, w, ORDER);
      ShortVector w1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + BYTES, ORDER);
      ShortVector u0 = ShortVector.fromMemorySegment(SHORTS, ALL, w + LINES, ORDER);
      ShortVector u1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + LINES + BYTES, ORDER);
      ShortVector v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at));
      ShortVector z = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + STEP));
      ShortVector p = w0.mul(v).add(u0.mul(z));
      a0 = a0.add(p);
      c0 = c0.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b0 = b0.add(p);
      d0 = d0.add(p.lanewise(VectorOperators.ASHR, 6));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 2));
      z = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + STEP + 2));
      p = w0.mul(v).add(u0.mul(z));
      a1 = a1.add(p);
      c1 = c1.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b1 = b1.add(p);
      d1 = d1.add(p.lanewise(VectorOperators.ASHR, 6));
      v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + 4));
      z = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + STEP + 4));
      p = w0.mul(v).add(u0.mul(z));
      a2 = a2.add(p);
      c2 = c2.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b2 = b2.add(p);
      d2 = d2.add(p.lanewise(VectorOperators.ASHR, 6));
    }
    a0.intoMemorySegment(ALL, sums, ORDER);
    b0.intoMemorySegment(ALL, sums + BYTES, ORDER);
    c0.intoMemorySegment(ALL, coarse, ORDER);
    d0.intoMemorySegment(ALL, coarse + BYTES, ORDER);
    a1.intoMemorySegment(ALL, sums + LINES, ORDER);
    b1.intoMemorySegment(ALL, sums + LINES + BYTES, ORDER);
    c1.intoMemorySegment(ALL, coarse + LINES, ORDER);
    d1.intoMemorySegment(ALL, coarse + LINES + BYTES, ORDER);
    a2.intoMemorySegment(ALL, sums + 2 * LINES, ORDER);
    b2.intoMemorySegment(ALL, sums + 2 * LINES + BYTES, ORDER);
    c2.intoMemorySegment(ALL, coarse + 2 * LINES, ORDER);
    d2.intoMemorySegment(ALL, coarse + 2 * LINES + BYTES, ORDER);
  }

  /// Two vectors of rows and 1 token, a block of Q8_0: sums modulo 2^16, and sums of 64ths of pairs
  /// of products.
  private static void pairs2x1(long panel, long x, long sums, long coarse) {
    panel = VectorMemory.address(panel);
    x = VectorMemory.address(x);
    sums = VectorMemory.address(sums);
    coarse = VectorMemory.address(coarse);
    ShortVector a0 = ShortVector.zero(SHORTS);
    ShortVector b0 = a0;
    ShortVector c0 = a0;
    ShortVector d0 = a0;
    for (int k = 0; k < BLOCK; k += 2) {
      long w = panel + (long) LINES * (k & 31);
      long at = x + (long) STEP * (k & 31);
      ShortVector w0 = ShortVector.fromMemorySegment(SHORTS, ALL, w, ORDER);
      ShortVector w1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + BYTES, ORDER);
      ShortVector u0 = ShortVector.fromMemorySegment(SHORTS, ALL, w + LINES, ORDER);
      ShortVector u1 = ShortVector.fromMemorySegment(SHORTS, ALL, w + LINES + BYTES, ORDER);
      ShortVector v = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at));
      ShortVector z = ShortVector.broadcast(SHORTS, ALL.get(SHORT, at + STEP));
      ShortVector p = w0.mul(v).add(u0.mul(z));
      a0 = a0.add(p);
      c0 = c0.add(p.lanewise(VectorOperators.ASHR, 6));
      p = w1.mul(v).add(u1.mul(z));
      b0 = b0.add(p);
      d0 = d0.add(p.lanewise(VectorOperators.ASHR, 6));
    }
    a0.intoMemorySegment(ALL, sums, ORDER);
    b0.intoMemorySegment(ALL, sums + BYTES, ORDER);
    c0.intoMemorySegment(ALL, coarse, ORDER);
    d0.intoMemorySegment(ALL, coarse + BYTES, ORDER);
  }
}
