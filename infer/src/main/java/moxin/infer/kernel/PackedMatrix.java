package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;

/// A weight matrix `(rows, columns)` rearranged for one tier's kernels, in native memory that its
/// owner frees. Rows beyond the last, up to a whole tile, are zero.
///
/// @param data [MatrixKernels#packedBytes] bytes, aligned to 64
public record PackedMatrix(WeightFormat format, int rows, int columns, MemorySegment data) {

  /// Tiles of [MatrixKernels#TILE] rows.
  public int tiles() {
    return tiles(rows);
  }

  /// The number of rows with those that fill the last tile.
  public int paddedRows() {
    return tiles() * MatrixKernels.TILE;
  }

  /// Tiles that `rows` rows take.
  public static int tiles(int rows) {
    return (rows + MatrixKernels.TILE - 1) / MatrixKernels.TILE;
  }
}
