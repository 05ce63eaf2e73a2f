package moxin.collective;

import java.lang.foreign.MemorySegment;

/// Native memory for threads other than its owner's.
final class Memory {

  private Memory() {}

  /// The same memory, which any thread may use. Its arena must stay open meanwhile: whoever lent it
  /// waits.
  @SuppressWarnings("restricted") // the address and the size are those of a live segment
  static MemorySegment unowned(MemorySegment segment) {
    return MemorySegment.ofAddress(segment.address()).reinterpret(segment.byteSize());
  }
}
