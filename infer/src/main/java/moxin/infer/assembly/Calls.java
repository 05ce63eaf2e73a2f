package moxin.infer.assembly;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/// Calls of kernels: all arguments are 64-bit numbers, nothing is returned. The handles are
/// constants so that the JIT compiler makes each call a few instructions.
final class Calls {
  private static final MethodHandle FOUR = handle(4);
  private static final MethodHandle FIVE = handle(5);
  private static final MethodHandle SIX = handle(6);
  private static final MethodHandle SEVEN = handle(7);
  private static final MethodHandle EIGHT = handle(8);

  private Calls() {}

  private static MethodHandle handle(int arguments) {
    MemoryLayout[] layouts = new MemoryLayout[arguments];
    Arrays.fill(layouts, JAVA_LONG);
    return Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(layouts));
  }

  static void call(MemorySegment code, long a, long b, long c, long d) {
    try {
      FOUR.invokeExact(code, a, b, c, d);
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  static void call(MemorySegment code, long a, long b, long c, long d, long e) {
    try {
      FIVE.invokeExact(code, a, b, c, d, e);
    } catch (Throwable t) {
      throw failure(t);
    }
  }

  static void call(MemorySegment code, long a, long b, long c, long d, long e, long f) {
    try {
      SIX.invokeExact(code, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw failure(t);
    }
  }

  static void call(MemorySegment code, long a, long b, long c, long d, long e, long f, long g) {
    try {
      SEVEN.invokeExact(code, a, b, c, d, e, f, g);
    } catch (Throwable t) {
      throw failure(t);
    }
  }

  static void call(
      MemorySegment code, long a, long b, long c, long d, long e, long f, long g, long h) {
    try {
      EIGHT.invokeExact(code, a, b, c, d, e, f, g, h);
    } catch (Throwable t) {
      throw failure(t);
    }
  }

  private static IllegalStateException failure(Throwable e) {
    return switch (e) {
      case RuntimeException runtime -> throw runtime;
      case Error error -> throw error;
      default -> new IllegalStateException("machine code cannot be called", e);
    };
  }
}
