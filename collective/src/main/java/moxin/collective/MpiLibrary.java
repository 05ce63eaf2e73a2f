package moxin.collective;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The functions of Open MPI that the communicator calls, one method each. Predefined handles are
/// the addresses of symbols there, and a null status is passed as a null pointer. Not thread-safe:
/// the caller sees to it that one thread at a time is within MPI.
///
/// See the MPI standard, version 3.1, and Open MPI's `mpi.h`.
@SuppressWarnings("restricted") // this class calls native code
final class MpiLibrary {
  /// Names the library, where the usual names do not find it.
  static final String VARIABLE = "MOXIN_MPI";

  private static final List<String> NAMES = List.of("libmpi.so.40", "libmpi.so", "libmpi.dylib");
  private static final int RTLD_NOW = 2;
  private static final int RTLD_GLOBAL = 0x100;
  private static final int THREAD_SERIALIZED = 2;
  private static final int ERROR_TEXT_BYTES = 256;

  private final SymbolLookup symbols;
  private final MethodHandle isend;
  private final MethodHandle irecv;
  private final MethodHandle ibcast;
  private final MethodHandle ibarrier;
  private final MethodHandle testall;
  private final MemorySegment bytes;
  private final MemorySegment world;

  private MpiLibrary(SymbolLookup symbols) {
    this.symbols = symbols;
    this.world = handle("ompi_mpi_comm_world");
    this.bytes = handle("ompi_mpi_byte");
    this.isend =
        find("MPI_Isend", ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    this.irecv =
        find("MPI_Irecv", ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    this.ibcast = find("MPI_Ibcast", ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    this.ibarrier = find("MPI_Ibarrier", ADDRESS, ADDRESS);
    this.testall = find("MPI_Testall", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
  }

  /// Opens the library that the environment names, or the first of the usual names.
  ///
  /// @throws LaunchException if there is none, or it is not Open MPI
  static MpiLibrary open(@Nullable String named) {
    List<String> names = named == null ? NAMES : List.of(named);
    for (String name : names) {
      Optional<SymbolLookup> found = openGlobally(name);
      if (found.isPresent()) {
        if (found.get().find("ompi_mpi_comm_world").isEmpty()) {
          throw new LaunchException(
              name
                  + " is no Open MPI; install Open MPI 4 or 5, or name its libmpi with "
                  + VARIABLE);
        }
        return new MpiLibrary(found.get());
      }
    }
    throw new LaunchException(
        "none of "
            + String.join(", ", names)
            + " can be loaded; install Open MPI, or name its libmpi with "
            + VARIABLE);
  }

  /// Open MPI's plug-ins expect its symbols in the global scope.
  private static Optional<SymbolLookup> openGlobally(String name) {
    Linker linker = Linker.nativeLinker();
    MethodHandle dlopen =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("dlopen"),
            FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    try (Arena arena = Arena.ofConfined()) {
      int flags = System.getProperty("os.name").startsWith("Mac") ? 0x8 : RTLD_GLOBAL;
      var library = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(name), RTLD_NOW | flags);
      return library.address() == 0
          ? Optional.empty()
          : Optional.of(SymbolLookup.libraryLookup(name, Arena.global()));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  MemorySegment world() {
    return world;
  }

  MemorySegment handle(String symbol) {
    return symbols
        .find(symbol)
        .orElseThrow(() -> new LaunchException("this Open MPI has no " + symbol));
  }

  /// Starts MPI for calls from any thread, one at a time.
  void init() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment provided = arena.allocate(JAVA_INT);
      call(
          "MPI_Init_thread",
          new MemoryLayout[] {ADDRESS, ADDRESS, JAVA_INT, ADDRESS},
          MemorySegment.NULL,
          MemorySegment.NULL,
          THREAD_SERIALIZED,
          provided);
      if (provided.get(JAVA_INT, 0) < THREAD_SERIALIZED) {
        throw new LaunchException("this Open MPI is built without support for threads");
      }
      call(
          "MPI_Comm_set_errhandler",
          new MemoryLayout[] {ADDRESS, ADDRESS},
          world,
          handle("ompi_mpi_errors_return"));
    }
  }

  int rank() {
    return number("MPI_Comm_rank", world);
  }

  int size() {
    return number("MPI_Comm_size", world);
  }

  /// The same processes with messages of their own.
  MemorySegment duplicate() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(ADDRESS);
      call("MPI_Comm_dup", new MemoryLayout[] {ADDRESS, ADDRESS}, world, result);
      return result.get(ADDRESS, 0);
    }
  }

  void send(MemorySegment data, int to, MemorySegment communicator, MemorySegment request) {
    try {
      check(
          "MPI_Isend",
          (int)
              isend.invokeExact(data, (int) data.byteSize(), bytes, to, 0, communicator, request));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  void receive(MemorySegment data, int from, MemorySegment communicator, MemorySegment request) {
    try {
      check(
          "MPI_Irecv",
          (int)
              irecv.invokeExact(
                  data, (int) data.byteSize(), bytes, from, 0, communicator, request));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  void broadcast(MemorySegment data, int root, MemorySegment request) {
    try {
      check(
          "MPI_Ibcast",
          (int) ibcast.invokeExact(data, (int) data.byteSize(), bytes, root, world, request));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  void barrier(MemorySegment request) {
    try {
      check("MPI_Ibarrier", (int) ibarrier.invokeExact(world, request));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// Whether all of `count` requests are done; they are null requests then.
  boolean done(int count, MemorySegment requests, MemorySegment flag) {
    try {
      check("MPI_Testall", (int) testall.invokeExact(count, requests, flag, MemorySegment.NULL));
      return flag.get(JAVA_INT, 0) != 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// Gives up a receive that nothing will answer.
  void forget(MemorySegment request) {
    call("MPI_Cancel", new MemoryLayout[] {ADDRESS}, request);
    call("MPI_Request_free", new MemoryLayout[] {ADDRESS}, request);
  }

  void abort(int exitCode) {
    call("MPI_Abort", new MemoryLayout[] {ADDRESS, JAVA_INT}, world, exitCode);
  }

  void finish() {
    call("MPI_Finalize", new MemoryLayout[0]);
  }

  private int number(String function, MemorySegment communicator) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment result = arena.allocate(JAVA_INT);
      call(function, new MemoryLayout[] {ADDRESS, ADDRESS}, communicator, result);
      return result.get(JAVA_INT, 0);
    }
  }

  /// Calls a function that is not called often.
  private void call(String function, MemoryLayout[] parameters, Object... arguments) {
    try {
      check(function, (int) find(function, parameters).invokeWithArguments(arguments));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private MethodHandle find(String function, MemoryLayout... parameters) {
    return Linker.nativeLinker()
        .downcallHandle(handle(function), FunctionDescriptor.of(JAVA_INT, parameters));
  }

  private void check(String function, int code) throws Throwable {
    if (code != 0) {
      throw new CollectiveException(function + " failed: " + text(code));
    }
  }

  private String text(int code) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(2L * ERROR_TEXT_BYTES);
      MemorySegment length = arena.allocate(JAVA_INT);
      int failed =
          (int)
              find("MPI_Error_string", JAVA_INT, ADDRESS, ADDRESS).invokeExact(code, text, length);
      return failed == 0 ? text.getString(0).strip().replace('\n', ' ') : "error " + code;
    }
  }

  private static RuntimeException unexpected(Throwable t) {
    return switch (t) {
      case RuntimeException e -> e;
      case Error e -> throw e;
      default -> new IllegalStateException("a native call failed", t);
    };
  }
}
