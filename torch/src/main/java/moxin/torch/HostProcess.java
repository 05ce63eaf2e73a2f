package moxin.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// What must be set in this process before the first library is opened: OpenBLAS and the OpenMP
/// runtime read the environment in their constructors.
@SuppressWarnings("restricted") // this module calls native code
final class HostProcess {
  private static final int ARENA_MAX = -8;
  private static final int MMAP_MAX = -4;
  private static final int TRIM_THRESHOLD = -1;
  private static final int TRIM_BYTES = 1 << 30;

  private HostProcess() {}

  static void prepare() {
    // libtorch and this program bring the threads; OpenBLAS's own would be nested in them.
    setEnvironment("OPENBLAS_NUM_THREADS", "1");
    // Idle OpenMP workers would spin on the cores that the program's own threads use.
    if (System.getenv("OMP_WAIT_POLICY") == null) {
      setEnvironment("OMP_WAIT_POLICY", "PASSIVE");
    }
    keepFreedMemory();
  }

  /// Large blocks are reused instead of being returned to the system and zeroed again.
  private static void keepFreedMemory() {
    find(
            "mallopt",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
        .ifPresent(
            mallopt -> {
              try {
                int applied =
                    (int) mallopt.invokeExact(ARENA_MAX, 1)
                        & (int) mallopt.invokeExact(MMAP_MAX, 0)
                        & (int) mallopt.invokeExact(TRIM_THRESHOLD, TRIM_BYTES);
                if (applied != 1) {
                  System.getLogger("moxin.torch")
                      .log(System.Logger.Level.DEBUG, "mallopt took no effect");
                }
              } catch (Throwable t) {
                throw Abi.unexpected(t);
              }
            });
  }

  private static void setEnvironment(String name, String value) {
    FunctionDescriptor descriptor =
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    Optional<MethodHandle> setenv = find("setenv", descriptor);
    if (setenv.isEmpty()) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment nameText = arena.allocateFrom(name);
      MemorySegment valueText = arena.allocateFrom(value);
      int code = (int) setenv.get().invokeExact(nameText, valueText, 1);
      if (code != 0) {
        throw new IllegalStateException("setenv " + name + " failed");
      }
    } catch (Throwable t) {
      throw Abi.unexpected(t);
    }
  }

  private static Optional<MethodHandle> find(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.defaultLookup().find(name).map(at -> linker.downcallHandle(at, descriptor));
  }
}
