package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.Optional;

/// Native memory for weights: pages that the system hands out zeroed when first touched, so that
/// packing threads do not wait for somebody else's clearing, and advice about pages of mapped files
/// that are not needed any more. Where the system has no `mmap` and `madvise`, ordinary native
/// memory serves and advice is not given.
final class NativeMemory {
  private static final long PAGE = 4096;
  private static final long HUGE_PAGE = 2L << 20;
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;
  private static final Optional<Calls> CALLS = Calls.find();

  private NativeMemory() {}

  /// `bytes` zero bytes, aligned to a page, that live as long as `arena`.
  static MemorySegment allocate(long bytes, Arena arena) {
    if (CALLS.isEmpty() || bytes < HUGE_PAGE) {
      return arena.allocate(Math.max(bytes, 1), PAGE);
    }
    return CALLS.get().map(bytes, arena);
  }

  /// Lets the system take back the pages of `mapped`, part of a mapped file; they are read again
  /// from the file when touched.
  static void release(MemorySegment mapped) {
    if (mapped.isMapped() && CALLS.isPresent()) {
      long start = (mapped.address() + PAGE - 1) / PAGE * PAGE;
      long end = (mapped.address() + mapped.byteSize()) / PAGE * PAGE;
      if (end > start) {
        CALLS.get().advise(start, end - start, MADV_DONTNEED);
      }
    }
  }

  /// The system's functions, on Linux.
  private record Calls(MethodHandle mmap, MethodHandle munmap, MethodHandle madvise) {

    @SuppressWarnings("restricted") // calls the system's own functions
    static Optional<Calls> find() {
      if (!System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux")) {
        return Optional.empty();
      }
      Linker linker = Linker.nativeLinker();
      return Optional.of(
          new Calls(
              linker.downcallHandle(
                  linker.defaultLookup().findOrThrow("mmap"),
                  FunctionDescriptor.of(
                      ValueLayout.ADDRESS,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_LONG)),
              linker.downcallHandle(
                  linker.defaultLookup().findOrThrow("munmap"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG)),
              linker.downcallHandle(
                  linker.defaultLookup().findOrThrow("madvise"),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.JAVA_INT))));
    }

    @SuppressWarnings("restricted") // gives the mapping its size
    MemorySegment map(long bytes, Arena arena) {
      long length = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
      MemorySegment start = mapped(length);
      if (start.address() == -1) {
        throw new OutOfMemoryError("no " + bytes + " bytes of native memory for weights");
      }
      long aligned = (start.address() + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
      advise(aligned, length - HUGE_PAGE, MADV_HUGEPAGE);
      return MemorySegment.ofAddress(aligned)
          .reinterpret(bytes, arena, _ -> unmap(start.address(), length));
    }

    private MemorySegment mapped(long length) {
      try {
        return (MemorySegment)
            mmap.invokeExact(0L, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      } catch (Throwable e) {
        throw new IllegalStateException("mmap cannot be called", e);
      }
    }

    private void unmap(long address, long length) {
      try {
        int code = (int) munmap.invokeExact(address, length);
        assert code == 0 : "munmap failed";
      } catch (Throwable e) {
        throw new IllegalStateException("munmap cannot be called", e);
      }
    }

    /// Advice may be refused; nothing depends on it.
    void advise(long address, long length, int advice) {
      try {
        int _ = (int) madvise.invokeExact(address, length, advice);
      } catch (Throwable e) {
        throw new IllegalStateException("madvise cannot be called", e);
      }
    }
  }
}
