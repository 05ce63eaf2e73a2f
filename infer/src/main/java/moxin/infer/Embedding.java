package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moxin.model.Precision;
import moxin.model.TensorView;

/// The embedding `(V, C)` as the checkpoint stores it, in memory of its own. Immutable.
final class Embedding {
  private final TensorView view;
  private final int columns;

  private Embedding(TensorView view) {
    this.view = view;
    this.columns = Math.toIntExact(view.shape().get(1));
  }

  /// A copy of `view` that lives as long as `arena`.
  static Embedding copyOf(TensorView view, Arena arena) {
    MemorySegment copy = NativeMemory.allocate(view.data().byteSize(), arena);
    copy.copyFrom(view.data());
    NativeMemory.release(view.data());
    return new Embedding(new TensorView(view.name(), view.dtype(), view.shape(), copy));
  }

  /// Writes the row of token `id` in fp32 to `target` from float `at` on.
  void copyRow(int id, MemorySegment target, long at) {
    float[] row = new float[columns];
    Precision.widen(view, (long) id * columns, row, 0, columns);
    MemorySegment.copy(row, 0, target, PassBuffers.FLOAT, at * Float.BYTES, columns);
  }
}
