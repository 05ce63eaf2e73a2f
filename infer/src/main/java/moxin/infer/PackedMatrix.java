package moxin.infer;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorView;

/// A weight matrix `(rows, columns)` in tiles of 32 rows, each laid out `(columns, 32)`, so that
/// one vector holds the same column of neighbouring rows. Missing rows of the last tile are zero.
///
/// bf16 stays bf16; every other floating-point type becomes fp32. Immutable once packed.
sealed interface PackedMatrix {

  int rows();

  int columns();

  /// Column `column` of row `row` of tile `tile`, widened exactly.
  float at(int tile, int column, int row);

  default int tiles() {
    return (rows() + Kernels.TILE - 1) / Kernels.TILE;
  }

  /// The number of rows with those that fill the last tile.
  default int paddedRows() {
    return tiles() * Kernels.TILE;
  }

  /// Copies row `row` to `target`.
  default void copyRow(int row, float[] target, int at) {
    for (int k = 0; k < columns(); k++) {
      target[at + k] = at(row / Kernels.TILE, k, row % Kernels.TILE);
    }
  }

  /// In fp32.
  record Full(int rows, int columns, float[] values) implements PackedMatrix {
    @Override
    public float at(int tile, int column, int row) {
      return values[(tile * columns + column) * Kernels.TILE + row];
    }
  }

  /// In bf16.
  record Brain(int rows, int columns, short[] values) implements PackedMatrix {
    @Override
    public float at(int tile, int column, int row) {
      return Precision.bf16ToFloat(values[(tile * columns + column) * Kernels.TILE + row]);
    }
  }

  /// Packs the matrix `view`, `(rows, columns)`, on the threads of `workers`.
  static PackedMatrix pack(TensorView view, Workers workers) {
    int rows = Math.toIntExact(view.shape().get(0));
    int columns = Math.toIntExact(view.shape().get(1));
    int tiles = (rows + Kernels.TILE - 1) / Kernels.TILE;
    long size = (long) tiles * columns * Kernels.TILE;
    if (size > Integer.MAX_VALUE - 8) {
      throw new CheckpointFormatException(
          view.name()
              + ": "
              + view.shape()
              + " is larger than this engine's limit of 2^31 weights");
    }
    if (view.dtype() == DType.BF16) {
      short[] packed = new short[(int) size];
      workers.forEach(tiles, tile -> packBrain(view, rows, columns, tile, packed));
      return new Brain(rows, columns, packed);
    }
    float[] packed = new float[(int) size];
    workers.forEach(tiles, tile -> packFull(view, rows, columns, tile, packed));
    return new Full(rows, columns, packed);
  }

  private static void packFull(TensorView view, int rows, int columns, int tile, float[] packed) {
    float[] row = new float[columns];
    for (int r = 0; r < Kernels.TILE && tile * Kernels.TILE + r < rows; r++) {
      Precision.widen(view, (long) (tile * Kernels.TILE + r) * columns, row, 0, columns);
      for (int k = 0; k < columns; k++) {
        packed[(tile * columns + k) * Kernels.TILE + r] = row[k];
      }
    }
  }

  private static void packBrain(TensorView view, int rows, int columns, int tile, short[] packed) {
    ValueLayout.OfShort layout =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    for (int r = 0; r < Kernels.TILE && tile * Kernels.TILE + r < rows; r++) {
      long start = (long) (tile * Kernels.TILE + r) * columns;
      for (int k = 0; k < columns; k++) {
        packed[(tile * columns + k) * Kernels.TILE + r] =
            view.data().get(layout, (start + k) * Short.BYTES);
      }
    }
  }
}
