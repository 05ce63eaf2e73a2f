package moxin.torch;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Reads what native code prints to file descriptor 2: versions of libtorch before 2.13 tell their
/// error messages to nobody else. Linux only.
///
/// While capturing, whatever another thread prints to standard error is captured too.
@SuppressWarnings("restricted") // this module calls native code
final class StandardErrorCapture {
  private static final int CAPACITY = 1 << 16;
  private static final int STANDARD_ERROR = 2;

  private StandardErrorCapture() {}

  /// What `action` prints, or nothing where the platform has no memory files.
  static synchronized Optional<String> of(Runnable action) {
    if (!System.getProperty("os.name").startsWith("Linux")) {
      return Optional.empty();
    }
    MethodHandle dup2 = function("dup2", JAVA_INT, JAVA_INT, JAVA_INT);
    MethodHandle close = function("close", JAVA_INT, JAVA_INT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom("libtorch");
      int file = (int) function("memfd_create", JAVA_INT, ADDRESS, JAVA_INT).invokeExact(name, 0);
      int saved = (int) function("dup", JAVA_INT, JAVA_INT).invokeExact(STANDARD_ERROR);
      if (file < 0 || saved < 0) {
        return Optional.empty();
      }
      int code = (int) dup2.invokeExact(file, STANDARD_ERROR);
      try {
        action.run();
      } finally {
        code |= (int) dup2.invokeExact(saved, STANDARD_ERROR);
      }
      String text = code < 0 ? "" : read(file, arena);
      code = (int) close.invokeExact(file) | (int) close.invokeExact(saved);
      return text.isEmpty() || code < 0 ? Optional.empty() : Optional.of(text);
    } catch (Throwable t) {
      throw Abi.unexpected(t);
    }
  }

  private static String read(int file, Arena arena) throws Throwable {
    MemorySegment buffer = arena.allocate(CAPACITY);
    long count =
        (long)
            function("pread", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG)
                .invokeExact(file, buffer, (long) CAPACITY, 0L);
    byte[] bytes = buffer.asSlice(0, Math.max(0, count)).toArray(JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static MethodHandle function(
      String name, MemoryLayout result, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }
}
