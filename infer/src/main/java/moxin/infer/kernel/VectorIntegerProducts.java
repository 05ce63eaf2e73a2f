package moxin.infer.kernel;

import static moxin.infer.kernel.MatrixKernels.TILE;
import static moxin.infer.kernel.VectorLayout.BLOCK;
import static moxin.infer.kernel.VectorLayout.GROUP;
import static moxin.infer.kernel.VectorPanel.LINES;
import static moxin.infer.kernel.VectorPanel.ROWS;

import java.lang.foreign.MemorySegment;

/// Products of quantised weights with quantised activations.
///
/// A few tokens meet the packed weights directly ([VectorDots], [VectorSuperblockDots]), at the
/// speed of memory. More tokens meet a [VectorPanel], 6 at a time: [VectorIntegerLoops] sums a
/// block, or as much of it as fits 16 bits, [VectorScaling] applies the scales.
final class VectorIntegerProducts {

  /// Bytes from column to column of inputs of several tokens.
  private static final int STEP = 2 * GROUP;

  /// Tokens that share an unpacked panel: a multiple of the group, and what a pass of 512 tokens
  /// needs.
  private static final int TOKENS = 516;

  /// Bytes of a token's outputs.
  private static final long OUTPUTS = 4L * ROWS;

  private static final ThreadLocal<VectorIntegerProducts> THREADS =
      ThreadLocal.withInitial(VectorIntegerProducts::new);

  private final VectorPanel panel = new VectorPanel();
  private final MemorySegment memory = VectorMemory.scratch(TOKENS * OUTPUTS + 12L * LINES);
  private final long outputs = memory.address();
  private final long sums = outputs + TOKENS * OUTPUTS;
  private final long moreSums = sums + 6L * LINES;

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
              thread.memory,
              (token - first) * OUTPUTS,
              y,
              4 * (token * yStride + (long) TILE * tile),
              4L * rows);
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
    WeightFormat format = weights.format();
    int columns = weights.columns();
    int blocks = columns / BLOCK;
    long tileBytes = VectorLayout.tileBytes(format, columns);
    long w =
        VectorMemory.address(weights.data(), fromTile * tileBytes, (toTile - fromTile) * tileBytes);
    long x = VectorMemory.address(input, 0, VectorLayout.quantisedBytes(tokens, columns));
    long scales = x + VectorLayout.scalesAt(tokens, columns);
    long sums = x + VectorLayout.sumsAt(tokens, columns);
    if (format == WeightFormat.Q4_0) {
      multiplyPairs(w, fromTile, toTile, columns, x, tokens, y, yStride);
      return;
    }
    for (int tile = fromTile; tile < toTile; tile++, w += tileBytes) {
      for (int token = 0; token < tokens; token++) {
        long to = VectorMemory.address(y, 4 * (token * yStride + (long) TILE * tile), 4 * TILE);
        long block = (long) token * blocks;
        long at = x + 2L * BLOCK * block;
        long scale = scales + 4L * block;
        long sum = sums + 8L * block;
        switch (format) {
          case Q8_0 -> VectorDots.multiplyQ8(w, columns, at, scale, to);
          case Q4_K ->
              VectorSuperblockDots.multiplyQ4K(
                  w,
                  columns,
                  x + VectorLayout.factorsAt(tokens, columns) + 4L * BLOCK * block,
                  x + VectorLayout.startsAt(tokens, columns) + 4L * block,
                  scale,
                  sum,
                  to);
          default -> VectorSuperblockDots.multiply(format, w, columns, at, scale, sum, to);
        }
      }
    }
  }

  /// Tiles of Q4_0 in pairs, half of them apart; where their number is odd, the last is its own
  /// partner.
  private static void multiplyPairs(
      long w,
      int fromTile,
      int toTile,
      int columns,
      long x,
      int tokens,
      MemorySegment y,
      long yStride) {
    long tileBytes = VectorLayout.tileBytes(WeightFormat.Q4_0, columns);
    int half = (toTile - fromTile + 1) / 2;
    for (int tile = fromTile; tile < fromTile + half; tile++, w += tileBytes) {
      int other = tile + half < toTile ? tile + half : tile;
      for (int token = 0; token < tokens; token++) {
        long row = token * yStride;
        long block = (long) token * (columns / BLOCK);
        VectorDots.multiplyQ4(
            w,
            w + (other - tile) * tileBytes,
            columns,
            x + VectorLayout.factorsAt(tokens, columns) + 4L * BLOCK * block,
            x + VectorLayout.startsAt(tokens, columns) + 4 * block,
            x + VectorLayout.scalesAt(tokens, columns) + 4 * block,
            VectorMemory.address(y, 4 * (row + (long) TILE * tile), 4 * TILE),
            VectorMemory.address(y, 4 * (row + (long) TILE * other), 4 * TILE));
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
    long w = VectorMemory.address(weights.data(), tile * tileBytes, (pair ? 2 : 1) * tileBytes);
    long x = VectorMemory.address(input, 0, VectorLayout.quantisedBytes(tokens, columns));
    memory.asSlice(0, (last - first) * OUTPUTS).fill((byte) 0);
    for (int k = 0; k < columns; k += VectorPanel.COLUMNS) {
      int count = Math.min(VectorPanel.COLUMNS, columns - k);
      panel.unpack(format, w, count, 0);
      if (pair) {
        panel.unpack(format, w + tileBytes, count, TILE);
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
                x + 2 * (BLOCK * at + t),
                x + VectorLayout.scalesAt(tokens, columns) + 4 * (at + t),
                x + VectorLayout.sumsAt(tokens, columns) + 2 * (4 * at + t),
                outputs + (group - first + t) * OUTPUTS);
          }
          t += some;
        }
      }
    }
  }

  private void multiplyBlock(
      WeightFormat format, int block, int tokens, long x, long scales, long xSums, long y) {
    long w = panel.weights(block * BLOCK);
    switch (format) {
      case F32, BF16 -> throw new IllegalArgumentException(format + " is not quantised");
      case Q8_0 -> {
        VectorIntegerLoops.multiplyPairs(w, tokens, x, sums, moreSums);
        VectorScaling.scalePairs(panel.scales(block), sums, moreSums, tokens, scales, y);
      }
      case Q4_0 -> {
        VectorIntegerLoops.multiply(w, BLOCK, tokens, x, sums);
        VectorScaling.scale(panel.scales(block), sums, tokens, scales, y);
      }
      case Q4_K -> {
        VectorIntegerLoops.multiply(w, BLOCK, tokens, x, sums);
        VectorScaling.scaleWithMinima(
            panel.scales(block), panel.minima(block), 8, sums, tokens, scales, xSums, y);
      }
      case Q5_K -> {
        VectorIntegerLoops.multiply(w, 16, tokens, x, sums);
        VectorIntegerLoops.multiply(w + 16 * LINES, 16, tokens, x + 16 * STEP, moreSums);
        VectorScaling.scaleTwoWithMinima(
            panel.scales(block), panel.minima(block), 16, sums, moreSums, tokens, scales, xSums, y);
      }
      case Q6_K -> {
        for (int half = 0; half < 2; half++) {
          long at = x + 16L * half * STEP;
          long column = w + 16L * half * LINES;
          VectorIntegerLoops.multiply(column, 8, tokens, at, sums);
          VectorIntegerLoops.multiply(column + 8 * LINES, 8, tokens, at + 8 * STEP, moreSums);
          VectorScaling.scaleTwo(panel.scales(2 * block + half), sums, moreSums, tokens, scales, y);
        }
      }
    }
  }
}
