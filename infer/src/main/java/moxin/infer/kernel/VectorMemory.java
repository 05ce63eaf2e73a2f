package moxin.infer.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Memory by address, for inner loops.
///
/// Bounds are checked once per call, by [#address(MemorySegment, long, long)], instead of at every
/// access: the compiler splits loops over segments into one part for each check that it moves out,
/// which costs more than the few rounds of a block's loop. An address of which the compiler knows
/// that it is not negative, by [#address(long)], plus a small `int` times a constant is within
/// [#ALL] for all that it can see, so that no check is left. That an `int` is small it has to see
/// before it knows the loops: hence masks, such as `line & 15`, which cost nothing in the end.
final class VectorMemory {

  /// The whole address space.
  @SuppressWarnings("restricted") // callers check bounds
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /// All numbers that blocks of a row may have: a row is shorter than 2 GiB.
  static final int INDICES = (1 << 26) - 1;

  /// All addresses that a program may have on any CPU.
  private static final long ADDRESSES = (1L << 57) - 1;

  private VectorMemory() {}

  /// The address of byte `at` of `segment`, from which on `bytes` bytes have to be there.
  ///
  /// @throws IndexOutOfBoundsException if they are not
  static long address(MemorySegment segment, long at, long bytes) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException("kernels need native memory");
    }
    return segment.asSlice(at, bytes).address();
  }

  /// `address`, of which the compiler now knows that it is not negative.
  static long address(long address) {
    return address & ADDRESSES;
  }

  /// Memory of a thread, aligned to a cache line, for as long as the result is reachable.
  static MemorySegment scratch(long bytes) {
    return Arena.ofAuto().allocate(bytes, VectorLayout.LINE);
  }
}
