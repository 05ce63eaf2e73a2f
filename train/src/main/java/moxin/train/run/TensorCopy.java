package moxin.train.run;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import moxin.model.TensorView;

/// A copy of tensors in host memory of its own. The memory is kept from copy to copy, so that a run
/// pays for it once. Owns the memory; views die with the next copy.
final class TensorCopy implements AutoCloseable {
  private static final long ALIGNMENT = 64;

  private Arena arena = Arena.ofShared();
  private MemorySegment memory = MemorySegment.NULL;

  /// Copies `tensors`. The views may be read by any thread.
  @SuppressWarnings("MustBeClosedChecker")
  List<TensorView> of(List<TensorView> tensors) {
    long bytes = 0;
    for (TensorView tensor : tensors) {
      bytes = aligned(bytes) + tensor.data().byteSize();
    }
    if (memory.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofShared();
      memory = arena.allocate(bytes, ALIGNMENT);
    }
    List<TensorView> copies = new ArrayList<>();
    long at = 0;
    for (TensorView tensor : tensors) {
      MemorySegment place = memory.asSlice(aligned(at), tensor.data().byteSize());
      place.copyFrom(tensor.data());
      copies.add(new TensorView(tensor.name(), tensor.dtype(), tensor.shape(), place));
      at = aligned(at) + tensor.data().byteSize();
    }
    return copies;
  }

  @Override
  public void close() {
    arena.close();
  }

  private static long aligned(long offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
