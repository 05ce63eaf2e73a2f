package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.RowSource;
import moxin.infer.kernel.WeightFormat;
import moxin.model.CheckpointFormatException;
import moxin.model.Precision;
import moxin.model.TensorView;

/// Packs matrices of a checkpoint for kernels, a few tiles at a time on each thread.
///
/// @param arena owns what is packed
record Packing(MatrixKernels kernels, Workers workers, Arena arena) {

  /// Packs `view`, `(rows, columns)`. Pages of a mapped file that have been read are given back.
  PackedMatrix pack(TensorView view) {
    int rows = Math.toIntExact(view.shape().get(0));
    int columns = Math.toIntExact(view.shape().get(1));
    WeightFormat format = format(view);
    long bytes = kernels.packedBytes(format, rows, columns);
    PackedMatrix packed =
        new PackedMatrix(format, rows, columns, NativeMemory.allocate(bytes, arena));
    RowSource source = rows(view, format, columns);
    workers.forEach(packed.tiles(), (tile, _) -> kernels.pack(packed, tile, source));
    NativeMemory.release(view.data());
    return packed;
  }

  private static WeightFormat format(TensorView view) {
    return switch (view.dtype()) {
      case F32, F16, F64 -> WeightFormat.F32;
      case BF16 -> WeightFormat.BF16;
      case I64, I32, I16, I8, U8, BOOL ->
          throw new CheckpointFormatException(
              view.name() + ": " + view.dtype() + " holds no floating-point numbers");
    };
  }

  private static RowSource rows(TensorView view, WeightFormat format, int columns) {
    boolean widened = format == WeightFormat.F32 && view.data().byteSize() != 4 * view.elements();
    if (widened) {
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
