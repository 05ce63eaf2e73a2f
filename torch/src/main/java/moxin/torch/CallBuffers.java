package moxin.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Scratch memory for the arguments of native calls, one set per thread, freed with the thread's
/// last reference.
final class CallBuffers {
  /// The dispatcher reads as many words as the *loaded* version's schema has arguments, which may
  /// be more than were passed: the rest must be there and be zero.
  static final int STACK_WORDS = 64;

  private static final int MAX_DIMENSIONS = 16;

  private static final ThreadLocal<CallBuffers> CURRENT = ThreadLocal.withInitial(CallBuffers::new);

  final MemorySegment stack;
  final MemorySegment result;
  final MemorySegment sizes;
  final MemorySegment strides;

  @SuppressWarnings("MustBeClosedChecker")
  private CallBuffers() {
    // Automatic: the buffers live as long as their thread and nothing outside this module sees
    // them.
    Arena arena = Arena.ofAuto();
    stack = arena.allocate(8L * STACK_WORDS, 16);
    result = arena.allocate(16, 16);
    sizes = arena.allocate(8L * MAX_DIMENSIONS, 16);
    strides = arena.allocate(8L * MAX_DIMENSIONS, 16);
  }

  static CallBuffers current() {
    return CURRENT.get();
  }

  /// Fills [#sizes] with `shape` and [#strides] with those of a contiguous tensor.
  void describe(long... shape) {
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      sizes.setAtIndex(ValueLayout.JAVA_LONG, i, shape[i]);
      strides.setAtIndex(ValueLayout.JAVA_LONG, i, stride);
      stride *= shape[i];
    }
  }

  long resultWord() {
    return result.get(ValueLayout.JAVA_LONG, 0);
  }

  int resultInt() {
    return result.get(ValueLayout.JAVA_INT, 0);
  }
}
