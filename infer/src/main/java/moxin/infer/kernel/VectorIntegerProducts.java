package moxin.infer.kernel;

import static moxin.infer.kernel.MatrixKernels.TILE;
import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.GROUP;
import static moxin.infer.kernel.VectorPanel.ROWS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Products of quantised weights with quantised activations.
///
/// A few tokens meet the packed weights directly ([VectorDots], [VectorSuperblockDots]), at the
/// speed of memory. More tokens meet a [VectorPanel], 6 at a time: [VectorIntegerLoops] sums a
/// block, or as much of it as fits 16 bits, [VectorScaling] applies the scales.
final class VectorIntegerProducts {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(VectorWidth.ORDER);

  /// Bytes from column to column of inputs of several tokens.
  private static final int STEP = 2 * GROUP;

  /// Tokens that share an unpacked panel: a multiple of the group.
  private static final int TOKENS = 504;

  private static final ThreadLocal<VectorIntegerProducts> THREADS =
      ThreadLocal.withInitial(VectorIntegerProducts::new);

  private final VectorPanel panel = new VectorPanel();
  private final float[] outputs = new float[TOKENS * ROWS];
  private final short[] sums = new short[6 * ROWS];
  private final short[] moreSums = new short[6 * ROWS];

  private VectorIntegerProducts() {}

  /// [MatrixKernels#multiply] for the quantised formats.
  static void multiply(
      PackedMatrix weights,
      int fromTile,
      int toTile,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride) {
    if (tokens <= VectorLayout.DIRECT) {
      multiplyDirectly(weights, fromTile, toTile, input, tokens, y, yStride);
      return;
    }
    VectorIntegerProducts thread = THREADS.get();
    for (int tile = fromTile; tile < toTile; tile += 2) {
      for (int first = 0; first < tokens; first += TOKENS) {
        int last = Math.min(first + TOKENS, tokens);
        boolean pair = tile + 1 < toTile;
        thread.multiplyPanels(weights, tile, pair, input, tokens, first, last);
        for (int token = first; token < last; token++) {
          int rows = pair ? ROWS : TILE;
          MemorySegment.copy(
              thread.outputs,
              (token - first) * ROWS,
              y,
              FLOAT,
              4 * (token * yStride + (long) TILE * tile),
              rows);
        }
      }
    }
  }

  private static void multiplyDirectly(
      PackedMatrix weights,
      int fromTile,
      int toTile,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride) {
    for (int tile = fromTile; tile < toTile; tile++) {
      for (int token = 0; token < tokens; token++) {
        long to = 4 * (token * yStride + (long) TILE * tile);
        if (VectorLayout.headerBytes(weights.format()) == 0) {
          VectorDots.multiply(weights, tile, input, tokens, token, y, to);
        } else {
          VectorSuperblockDots.multiply(weights, tile, input, tokens, token, y, to);
        }
      }
    }
  }

  private void multiplyPanels(
      PackedMatrix weights,
      int tile,
      boolean pair,
      MemorySegment input,
      int tokens,
      int first,
      int last) {
    WeightFormat format = weights.format();
    int columns = weights.columns();
    long tileBytes = VectorLayout.tileBytes(format, columns);
    long w = tile * tileBytes;
    Arrays.fill(outputs, 0, (last - first) * ROWS, 0);
    for (int k = 0; k < columns; k += VectorPanel.COLUMNS) {
      int count = Math.min(VectorPanel.COLUMNS, columns - k);
      panel.unpack(format, weights.data(), w, count, 0);
      if (pair) {
        panel.unpack(format, weights.data(), w + tileBytes, count, TILE);
      }
      w += VectorLayout.tileBytes(format, count);
      for (int group = first; group < last; group += GROUP) {
        int n = Math.min(GROUP, tokens - group);
        for (int t = 0; t < n; ) {
          int some = n - t >= 6 ? 6 : n - t >= 3 ? 3 : 1;
          for (int block = k / BLOCK; block < (k + count) / BLOCK; block++) {
            long at = (long) group * (columns / BLOCK) + (long) block * GROUP;
            multiplyBlock(
                format,
                block - k / BLOCK,
                some,
                input,
                2 * (BLOCK * at + t),
                VectorLayout.scalesAt(tokens, columns) + 4 * (at + t),
                VectorLayout.sumsAt(tokens, columns) + 2 * (4 * at + t),
                (group - first + t) * ROWS);
          }
          t += some;
        }
      }
    }
  }

  private void multiplyBlock(
      WeightFormat format,
      int block,
      int tokens,
      MemorySegment x,
      long shorts,
      long scales,
      long xSums,
      int to) {
    int k = block * BLOCK;
    switch (format) {
      case F32, BF16 -> throw new IllegalArgumentException(format + " is not quantised");
      case Q8_0 -> {
        VectorIntegerLoops.multiplyPairs(panel.weights, k, tokens, x, shorts, sums, moreSums);
        VectorScaling.scalePairs(panel, block, sums, moreSums, tokens, x, scales, outputs, to);
      }
      case Q4_0 -> {
        VectorIntegerLoops.multiply(panel.weights, k, BLOCK, tokens, x, shorts, sums);
        VectorScaling.scale(panel, block, sums, tokens, x, scales, outputs, to);
      }
      case Q4_K -> {
        VectorIntegerLoops.multiply(panel.weights, k, BLOCK, tokens, x, shorts, sums);
        VectorScaling.scaleWithMinima(panel, block, 8, sums, tokens, x, scales, xSums, outputs, to);
      }
      case Q5_K -> {
        VectorIntegerLoops.multiply(panel.weights, k, 16, tokens, x, shorts, sums);
        VectorIntegerLoops.multiply(
            panel.weights, k + 16, 16, tokens, x, shorts + 16 * STEP, moreSums);
        VectorScaling.scaleTwoWithMinima(
            panel, block, 16, sums, moreSums, tokens, x, scales, xSums, outputs, to);
      }
      case Q6_K -> {
        for (int half = 0; half < 2; half++) {
          long at = shorts + 16L * half * STEP;
          int column = k + 16 * half;
          VectorIntegerLoops.multiply(panel.weights, column, 8, tokens, x, at, sums);
          VectorIntegerLoops.multiply(
              panel.weights, column + 8, 8, tokens, x, at + 8 * STEP, moreSums);
          VectorScaling.scaleTwo(
              panel, 2 * block + half, sums, moreSums, tokens, x, scales, outputs, to);
        }
      }
    }
  }
}
