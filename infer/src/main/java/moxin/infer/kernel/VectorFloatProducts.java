package moxin.infer.kernel;

import static moxin.infer.kernel.MatrixKernels.TILE;
import static moxin.infer.kernel.VectorWidth.BYTES;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.INTS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Products of F32 and BF16 weights with fp32 activations.
///
/// A few tokens meet the packed weights directly, at the speed of memory. More tokens meet a panel
/// in the L1 cache: 32 rows × 256 columns, copied or widened once. The kernels are written out
/// token by token, so that every vector is a local variable: an array of vectors, or a call that is
/// not inlined, puts each of them on the heap.
final class VectorFloatProducts {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);

  /// Columns of a panel.
  private static final int PANEL = 256;

  /// Bytes from column to column of inputs of several tokens.
  private static final int STEP = 4 * VectorLayout.GROUP;

  private static final ThreadLocal<float[]> PANELS =
      ThreadLocal.withInitial(() -> new float[PANEL * TILE]);

  private VectorFloatProducts() {}

  /// [MatrixKernels#multiply] for F32 and BF16.
  static void multiply(
      PackedMatrix weights,
      int fromTile,
      int toTile,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride) {
    int columns = weights.columns();
    long tileBytes = VectorLayout.tileBytes(weights.format(), columns);
    float[] panel = PANELS.get();
    for (int tile = fromTile; tile < toTile; tile++) {
      long w = tile * tileBytes;
      long to = 4L * TILE * tile;
      if (tokens > VectorLayout.DIRECT) {
        multiplyPanels(weights, w, panel, input, tokens, y, to, 4 * yStride);
        continue;
      }
      for (int token = 0; token < tokens; token++) {
        long x = 4L * token * columns;
        if (weights.format() == WeightFormat.F32) {
          dotF32(weights.data(), w, columns, input, x, y, to + 4L * token * yStride);
        } else {
          dotBf16(weights.data(), w, columns, input, x, y, to + 4L * token * yStride);
        }
      }
    }
  }

  private static void dotF32(
      MemorySegment weights,
      long start,
      int columns,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to) {
    for (int row = 0; row < TILE; row += 2 * LANES) {
      FloatVector a = FloatVector.zero(FLOATS);
      FloatVector b = FloatVector.zero(FLOATS);
      long w = start + 4L * row;
      for (int k = 0; k < columns; k++, w += 4 * TILE) {
        FloatVector v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 4L * k));
        a = FloatVector.fromMemorySegment(FLOATS, weights, w, ORDER).fma(v, a);
        b = FloatVector.fromMemorySegment(FLOATS, weights, w + BYTES, ORDER).fma(v, b);
      }
      a.intoMemorySegment(y, to + 4L * row, ORDER);
      b.intoMemorySegment(y, to + 4L * row + BYTES, ORDER);
    }
  }

  private static void dotBf16(
      MemorySegment weights,
      long start,
      int columns,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to) {
    for (int row = 0; row < TILE / 2; row += LANES) {
      FloatVector a = FloatVector.zero(FLOATS);
      FloatVector b = FloatVector.zero(FLOATS);
      long w = start + 4L * row;
      for (int k = 0; k < columns; k++, w += 2 * TILE) {
        FloatVector v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 4L * k));
        IntVector pair = IntVector.fromMemorySegment(INTS, weights, w, ORDER);
        a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(v, a);
        b = pair.and(0xffff0000).reinterpretAsFloats().fma(v, b);
      }
      a.intoMemorySegment(y, to + 4L * row, ORDER);
      b.intoMemorySegment(y, to + 4L * row + 2 * TILE, ORDER);
    }
  }

  private static void multiplyPanels(
      PackedMatrix weights,
      long w,
      float[] panel,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long to,
      long yBytes) {
    int columns = weights.columns();
    for (int token = 0; token < tokens; token++) {
      y.asSlice(to + token * yBytes, 4 * TILE).fill((byte) 0);
    }
    for (int k = 0; k < columns; k += PANEL) {
      int count = Math.min(PANEL, columns - k);
      if (weights.format() == WeightFormat.F32) {
        MemorySegment.copy(weights.data(), FLOAT, w + 4L * TILE * k, panel, 0, count * TILE);
      } else {
        widen(weights.data(), w + 2L * TILE * k, panel, count);
      }
      for (int first = 0; first < tokens; first += VectorLayout.GROUP) {
        int n = Math.min(VectorLayout.GROUP, tokens - first);
        long x = 4L * ((long) first * columns + (long) k * VectorLayout.GROUP);
        multiplyPanel(panel, count, n, input, x, y, to + first * yBytes, yBytes);
      }
    }
  }

  private static void widen(MemorySegment weights, long w, float[] panel, int count) {
    for (int k = 0; k < count; k++, w += 2 * TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        IntVector pair = IntVector.fromMemorySegment(INTS, weights, w + 4L * row, ORDER);
        int at = k * TILE + row;
        pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(panel, at);
        pair.and(0xffff0000).reinterpretAsFloats().intoArray(panel, at + TILE / 2);
      }
    }
  }

  private static void multiplyPanel(
      float[] panel,
      int count,
      int n,
      MemorySegment input,
      long x,
      MemorySegment y,
      long to,
      long yBytes) {
    for (int row = 0; row < TILE; row += 2 * LANES) {
      int t = 0;
      for (; t + 6 <= n; t += 6) {
        rows2x6(panel, row, count, input, x + 4L * t, y, to + 4L * row + t * yBytes, yBytes);
      }
      for (; t + 2 <= n; t += 2) {
        rows2x2(panel, row, count, input, x + 4L * t, y, to + 4L * row + t * yBytes, yBytes);
      }
      for (; t < n; t++) {
        rows2x1(panel, row, count, input, x + 4L * t, y, to + 4L * row + t * yBytes);
      }
    }
  }

  /// Two vectors of rows and 6 tokens, columns `[0, count)` of the panel. Of 12 tokens C1 sometimes
  /// could not compile the method for want of registers, and it stayed interpreted.
  private static void rows2x6(
      float[] panel,
      int w,
      int count,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to,
      long yBytes) {
    FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, y, to, ORDER);
    FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, y, to + BYTES, ORDER);
    FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, y, to + yBytes, ORDER);
    FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, y, to + yBytes + BYTES, ORDER);
    FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, y, to + 2 * yBytes, ORDER);
    FloatVector b2 = FloatVector.fromMemorySegment(FLOATS, y, to + 2 * yBytes + BYTES, ORDER);
    FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, y, to + 3 * yBytes, ORDER);
    FloatVector b3 = FloatVector.fromMemorySegment(FLOATS, y, to + 3 * yBytes + BYTES, ORDER);
    FloatVector a4 = FloatVector.fromMemorySegment(FLOATS, y, to + 4 * yBytes, ORDER);
    FloatVector b4 = FloatVector.fromMemorySegment(FLOATS, y, to + 4 * yBytes + BYTES, ORDER);
    FloatVector a5 = FloatVector.fromMemorySegment(FLOATS, y, to + 5 * yBytes, ORDER);
    FloatVector b5 = FloatVector.fromMemorySegment(FLOATS, y, to + 5 * yBytes + BYTES, ORDER);
    for (int k = 0; k < count; k++, w += TILE, at += STEP) {
      FloatVector w0 = FloatVector.fromArray(FLOATS, panel, w);
      FloatVector w1 = FloatVector.fromArray(FLOATS, panel, w + LANES);
      FloatVector v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at));
      a0 = w0.fma(v, a0);
      b0 = w1.fma(v, b0);
      v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 4));
      a1 = w0.fma(v, a1);
      b1 = w1.fma(v, b1);
      v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 8));
      a2 = w0.fma(v, a2);
      b2 = w1.fma(v, b2);
      v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 12));
      a3 = w0.fma(v, a3);
      b3 = w1.fma(v, b3);
      v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 16));
      a4 = w0.fma(v, a4);
      b4 = w1.fma(v, b4);
      v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 20));
      a5 = w0.fma(v, a5);
      b5 = w1.fma(v, b5);
    }
    a0.intoMemorySegment(y, to, ORDER);
    b0.intoMemorySegment(y, to + BYTES, ORDER);
    a1.intoMemorySegment(y, to + yBytes, ORDER);
    b1.intoMemorySegment(y, to + yBytes + BYTES, ORDER);
    a2.intoMemorySegment(y, to + 2 * yBytes, ORDER);
    b2.intoMemorySegment(y, to + 2 * yBytes + BYTES, ORDER);
    a3.intoMemorySegment(y, to + 3 * yBytes, ORDER);
    b3.intoMemorySegment(y, to + 3 * yBytes + BYTES, ORDER);
    a4.intoMemorySegment(y, to + 4 * yBytes, ORDER);
    b4.intoMemorySegment(y, to + 4 * yBytes + BYTES, ORDER);
    a5.intoMemorySegment(y, to + 5 * yBytes, ORDER);
    b5.intoMemorySegment(y, to + 5 * yBytes + BYTES, ORDER);
  }

  /// Two vectors of rows and 2 tokens, columns `[0, count)` of the panel.
  private static void rows2x2(
      float[] panel,
      int w,
      int count,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to,
      long yBytes) {
    FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, y, to, ORDER);
    FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, y, to + BYTES, ORDER);
    FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, y, to + yBytes, ORDER);
    FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, y, to + yBytes + BYTES, ORDER);
    for (int k = 0; k < count; k++, w += TILE, at += STEP) {
      FloatVector w0 = FloatVector.fromArray(FLOATS, panel, w);
      FloatVector w1 = FloatVector.fromArray(FLOATS, panel, w + LANES);
      FloatVector v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at));
      a0 = w0.fma(v, a0);
      b0 = w1.fma(v, b0);
      v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at + 4));
      a1 = w0.fma(v, a1);
      b1 = w1.fma(v, b1);
    }
    a0.intoMemorySegment(y, to, ORDER);
    b0.intoMemorySegment(y, to + BYTES, ORDER);
    a1.intoMemorySegment(y, to + yBytes, ORDER);
    b1.intoMemorySegment(y, to + yBytes + BYTES, ORDER);
  }

  /// Two vectors of rows and 1 token, columns `[0, count)` of the panel.
  private static void rows2x1(
      float[] panel, int w, int count, MemorySegment x, long at, MemorySegment y, long to) {
    FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, y, to, ORDER);
    FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, y, to + BYTES, ORDER);
    for (int k = 0; k < count; k++, w += TILE, at += STEP) {
      FloatVector w0 = FloatVector.fromArray(FLOATS, panel, w);
      FloatVector w1 = FloatVector.fromArray(FLOATS, panel, w + LANES);
      FloatVector v = FloatVector.broadcast(FLOATS, x.get(FLOAT, at));
      a0 = w0.fma(v, a0);
      b0 = w1.fma(v, b0);
    }
    a0.intoMemorySegment(y, to, ORDER);
    b0.intoMemorySegment(y, to + BYTES, ORDER);
  }
}
