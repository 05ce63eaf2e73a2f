package moxin.torch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds the libraries of an installed PyTorch.
///
/// `MOXIN_LIBTORCH` names its `torch/lib` folder and always wins. Without it, the active virtual or
/// Conda environment is used where its PyTorch has CUDA: on a CPU it would bring nothing that the
/// bundled libraries lack.
final class InstalledTorch {

  /// The variable that names an installation.
  static final String VARIABLE = "MOXIN_LIBTORCH";

  private static final List<String> NAMES = List.of("c10", "torch_cpu", "c10_cuda", "torch_cuda");

  private InstalledTorch() {}

  /// The libraries in loading order.
  ///
  /// @throws LibTorchUnavailableException if `MOXIN_LIBTORCH` names a folder without them
  static Optional<List<Path>> find(Map<String, String> environment) {
    String named = environment.get(VARIABLE);
    if (named != null && !named.isBlank()) {
      List<Path> libraries = librariesIn(Path.of(named));
      if (libraries.size() < 2) {
        throw new LibTorchUnavailableException(
            VARIABLE + "=" + named + ": no libtorch_cpu and libc10 in this folder");
      }
      return Optional.of(libraries);
    }
    return Stream.of("VIRTUAL_ENV", "CONDA_PREFIX")
        .map(environment::get)
        .filter(value -> value != null && !value.isBlank())
        .flatMap(prefix -> sitePackages(Path.of(prefix)))
        .map(site -> librariesIn(site.resolve("torch").resolve("lib")))
        .filter(libraries -> libraries.size() == NAMES.size())
        .findFirst();
  }

  /// Whether `libraries` can drive a GPU.
  static boolean hasCuda(List<Path> libraries) {
    return libraries.stream().anyMatch(path -> path.getFileName().toString().contains("cuda"));
  }

  private static List<Path> librariesIn(Path directory) {
    List<Path> libraries = new ArrayList<>();
    for (String name : NAMES) {
      Path file = directory.resolve(System.mapLibraryName(name)).toAbsolutePath();
      if (Files.isRegularFile(file)) {
        libraries.add(file);
      }
    }
    return List.copyOf(libraries);
  }

  private static Stream<Path> sitePackages(Path prefix) {
    Path lib = prefix.resolve("lib");
    if (!Files.isDirectory(lib)) {
      return Stream.empty();
    }
    try (Stream<Path> versions = Files.list(lib)) {
      return versions
          .filter(path -> path.getFileName().toString().startsWith("python3"))
          .map(path -> path.resolve("site-packages"))
          .sorted()
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
