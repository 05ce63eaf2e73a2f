package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Locale;

/// Machine code in pages of its own: written while they are writable, then made executable and
/// read-only, never both. The owner closes it when no thread runs the code any more.
public final class ExecutableMemory implements AutoCloseable {
  private static final int READ = 1;
  private static final int WRITE = 2;
  private static final int EXECUTE = 4;
  private static final int PRIVATE = 2;
  private static final int ANONYMOUS_LINUX = 0x20;
  private static final int ANONYMOUS_MACOS = 0x1000;

  private final Functions functions;
  private final MemorySegment pages;

  private ExecutableMemory(Functions functions, MemorySegment pages) {
    this.functions = functions;
    this.pages = pages;
  }

  /// Maps pages and places `code` there.
  ///
  /// @throws MachineCodeException if this system has no way to do so, or refuses
  public static ExecutableMemory of(byte[] code) throws MachineCodeException {
    return of(code, System.getProperty("os.name"));
  }

  static ExecutableMemory of(byte[] code, String system) throws MachineCodeException {
    Functions functions = new Functions(anonymousFlag(system));
    MemorySegment pages = functions.map(code.length);
    MemorySegment.copy(code, 0, pages, ValueLayout.JAVA_BYTE, 0, code.length);
    ExecutableMemory memory = new ExecutableMemory(functions, pages);
    try {
      functions.protect(pages);
    } catch (MachineCodeException e) {
      memory.close();
      throw e;
    }
    return memory;
  }

  private static int anonymousFlag(String system) throws MachineCodeException {
    String name = system.toLowerCase(Locale.ROOT);
    if (name.startsWith("linux")) {
      return ANONYMOUS_LINUX;
    }
    if (name.startsWith("mac")) {
      return ANONYMOUS_MACOS;
    }
    throw new MachineCodeException("no machine code: not supported on " + system);
  }

  /// The address of the code's first byte.
  public MemorySegment address() {
    return pages;
  }

  /// Unmaps the pages.
  @Override
  public void close() {
    functions.unmap(pages);
  }

  /// The functions of the C library.
  private static final class Functions {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    private static final MemoryLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO_VALUE =
        STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private final int anonymous;
    private final MethodHandle mmap;
    private final MethodHandle mprotect;
    private final MethodHandle munmap;

    Functions(int anonymous) throws MachineCodeException {
      this.anonymous = anonymous;
      this.mmap =
          function(
              "mmap",
              FunctionDescriptor.of(
                  ValueLayout.ADDRESS,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG));
      this.mprotect =
          function(
              "mprotect",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.ADDRESS,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT));
      this.munmap =
          function(
              "munmap",
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    }

    private static MethodHandle function(String name, FunctionDescriptor type)
        throws MachineCodeException {
      SymbolLookup lookup = LINKER.defaultLookup();
      MemorySegment symbol =
          lookup
              .find(name)
              .orElseThrow(
                  () -> new MachineCodeException("no machine code: this system has no " + name));
      return LINKER.downcallHandle(symbol, type, ERRNO);
    }

    MemorySegment map(long byteSize) throws MachineCodeException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        MemorySegment pages =
            (MemorySegment)
                mmap.invokeExact(
                    state, MemorySegment.NULL, byteSize, READ | WRITE, PRIVATE | anonymous, -1, 0L);
        if (pages.address() == -1) {
          throw refused("memory", state);
        }
        return pages.reinterpret(byteSize);
      } catch (Throwable e) {
        throw failure(e);
      }
    }

    void protect(MemorySegment pages) throws MachineCodeException {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        int result = (int) mprotect.invokeExact(state, pages, pages.byteSize(), READ | EXECUTE);
        if (result != 0) {
          throw refused("executable memory", state);
        }
      } catch (Throwable e) {
        throw failure(e);
      }
    }

    void unmap(MemorySegment pages) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment state = arena.allocate(STATE);
        int result = (int) munmap.invokeExact(state, pages, pages.byteSize());
        if (result != 0) {
          throw new IllegalStateException("munmap failed, errno " + ERRNO_VALUE.get(state, 0L));
        }
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("munmap cannot be called", e);
      }
    }

    private static MachineCodeException refused(String what, MemorySegment state) {
      return new MachineCodeException(
          "no machine code: the system refuses "
              + what
              + " (errno "
              + (int) ERRNO_VALUE.get(state, 0L)
              + ")");
    }

    private static MachineCodeException failure(Throwable e) {
      return switch (e) {
        case MachineCodeException known -> known;
        case RuntimeException runtime -> throw runtime;
        case Error error -> throw error;
        default -> throw new IllegalStateException("the C library cannot be called", e);
      };
    }
  }
}
