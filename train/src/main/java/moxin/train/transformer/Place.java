package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import moxin.torch.Tensor;

/// Some elements of a flat array in host memory.
///
/// @param at the first of them
record Place(Tensor flat, long at, long elements) {

  /// Elements `[from, from + count)` of these.
  Place part(long from, long count) {
    return new Place(flat, at + from, count);
  }

  /// Their bytes, borrowed.
  MemorySegment bytes() {
    long size = flat.type().byteSize();
    return flat.data().asSlice(at * size, elements * size);
  }
}
