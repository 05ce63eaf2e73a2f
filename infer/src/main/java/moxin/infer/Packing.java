package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.RowSource;
import moxin.infer.kernel.WeightFormat;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorView;

/// Packs matrices of a checkpoint for kernels, a few tiles at a time on each thread.
///
/// @param arena owns what is packed
record Packing(MatrixKernels kernels, Workers workers, Arena arena) {

  /// Packs `view`, `(rows, columns)`, row `order[r]` of the view as row r. Pages of a mapped file
  /// that have been read are given back.
  PackedMatrix pack(TensorView view, int[] order) {
    int rows = Math.toIntExact(view.shape().get(0));
    int columns = Math.toIntExact(view.shape().get(1));
    WeightFormat format = format(view);
    long bytes = kernels.packedBytes(format, rows, columns);
    PackedMatrix packed =
        new PackedMatrix(format, rows, columns, NativeMemory.allocate(bytes, arena));
    RowSource stored = rows(view, format, columns);
    RowSource source = row -> stored.row(order[row]);
    workers.forEach(packed.tiles(), (tile, _) -> kernels.pack(packed, tile, source));
    NativeMemory.release(view.data());
    return packed;
  }

  /// How a matrix of `view`'s type is packed: types without kernels of their own become fp32.
  private static WeightFormat format(TensorView view) {
    return switch (view.dtype()) {
      case F32, F16, F64, Q4_1, Q5_0, Q5_1 -> WeightFormat.F32;
      case BF16 -> WeightFormat.BF16;
      case Q4_0 -> WeightFormat.Q4_0;
      case Q8_0 -> WeightFormat.Q8_0;
      case Q4_K -> WeightFormat.Q4_K;
      case Q5_K -> WeightFormat.Q5_K;
      case Q6_K -> WeightFormat.Q6_K;
      case I64, I32, I16, I8, U8, BOOL ->
          throw new CheckpointFormatException(
              view.name() + ": " + view.dtype() + " holds no real numbers");
    };
  }

  private static RowSource rows(TensorView view, WeightFormat format, int columns) {
    if (format == WeightFormat.F32 && view.dtype() != DType.F32) {
      return row -> {
        float[] numbers = new float[columns];
        Precision.widen(view, (long) row * columns, numbers, 0, columns);
        return MemorySegment.ofArray(numbers);
      };
    }
    long rowBytes = format.rowBytes(columns);
    return row -> view.data().asSlice(row * rowBytes, rowBytes);
  }
}
