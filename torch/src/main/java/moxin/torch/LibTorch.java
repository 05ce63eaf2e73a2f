package moxin.torch;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import moxin.job.Progress;
import org.jspecify.annotations.Nullable;

/// The loaded libtorch of this process: which one, and what it can do.
///
/// libtorch cannot be unloaded, so there is one for the life of the process.
@SuppressWarnings("restricted") // this module calls native code
public final class LibTorch {
  private static @Nullable LibTorch instance;

  private final List<Path> libraries;
  private final SymbolLookup symbols;

  private LibTorch(List<Path> libraries, SymbolLookup symbols) {
    this.libraries = libraries;
    this.symbols = symbols;
  }

  /// Finds and loads libtorch, once; later calls return the same.
  ///
  /// An installed PyTorch named by `MOXIN_LIBTORCH` comes first, then one with CUDA in the active
  /// Python environment, then the bundled CPU libraries, which are extracted into the user's cache
  /// on first use.
  ///
  /// @throws LibTorchUnavailableException if there is none for this platform, it is too old, or it
  ///   lacks an operator
  /// @throws IOException if the cache cannot be written
  public static synchronized LibTorch load(Progress progress) throws IOException {
    if (instance == null) {
      List<Path> libraries = locate(progress);
      HostProcess.prepare();
      instance = new LibTorch(libraries, open(libraries));
      try {
        LibTorchCheck.run(instance);
      } catch (LibTorchUnavailableException e) {
        instance = null;
        throw e;
      }
    }
    return instance;
  }

  /// The libraries that were loaded, in order.
  public List<Path> libraries() {
    return libraries;
  }

  /// Such as `2.10`.
  public String version() {
    return LibTorchVersion.of(Abi.abiVersion()).toString();
  }

  /// The first GPU where the loaded libraries drive one, else the CPU.
  public Device defaultDevice() {
    return InstalledTorch.hasCuda(libraries) ? Device.cuda(0) : Device.CPU;
  }

  /// Checks that tensors can live on `device`.
  ///
  /// @throws LibTorchUnavailableException if it is a GPU and the loaded libraries drive none
  public void require(Device device) {
    if (!device.isHost() && defaultDevice().isHost()) {
      throw new LibTorchUnavailableException(
          "the loaded libtorch drives no GPU; install PyTorch 2.10 or later with CUDA and set "
              + InstalledTorch.VARIABLE
              + "=.../site-packages/torch/lib");
    }
  }

  /// Makes the calling thread ready to call operators: without automatic differentiation, each
  /// operator on `threads` threads. Call it first on every thread that uses tensors.
  public static void prepareThread(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("an operator cannot run on " + threads + " threads");
    }
    Abi.setGradientMode(false);
    Abi.setOpenMpThreads(threads);
  }

  static synchronized SymbolLookup symbols() {
    if (instance == null) {
      throw new IllegalStateException("LibTorch.load has not been called");
    }
    return instance.symbols;
  }

  private static List<Path> locate(Progress progress) throws IOException {
    Optional<List<Path>> installed = InstalledTorch.find(System.getenv());
    if (installed.isPresent()) {
      return installed.get();
    }
    Platform platform =
        Platform.current()
            .orElseThrow(
                () ->
                    new LibTorchUnavailableException(
                        "no libtorch is bundled for "
                            + System.getProperty("os.name")
                            + " on "
                            + System.getProperty("os.arch")
                            + "; install PyTorch 2.10 or later and set "
                            + InstalledTorch.VARIABLE
                            + "=.../site-packages/torch/lib"));
    return BundledLibraries.extract(platform, UserCache.directory(), progress);
  }

  private static SymbolLookup open(List<Path> libraries) {
    SymbolLookup all = name -> Optional.empty();
    for (Path library : libraries) {
      try {
        SymbolLookup next = SymbolLookup.libraryLookup(library, Arena.global());
        all = next.or(all);
      } catch (IllegalArgumentException e) {
        String names =
            libraries.stream()
                .map(path -> path.getFileName().toString())
                .collect(Collectors.joining(", "));
        throw new LibTorchUnavailableException(
            library + " cannot be loaded (of " + names + "): " + e.getMessage(), e);
      }
    }
    return all;
  }
}
