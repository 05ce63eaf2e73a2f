package moxin.torch;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A platform that Maven Central has native libraries of libtorch for.
///
/// @param classifier its name in Maven classifiers
/// @param libraries the libraries, each after those it needs
record Platform(String classifier, List<Library> libraries) {
  private static final Platform LINUX_X86_64 =
      new Platform(
          "linux-x86_64",
          List.of(
              new Library("pytorch", "libgomp.so.1"),
              new Library("openblas", "libquadmath.so.0"),
              new Library("openblas", "libgfortran.so.5"),
              new Library("openblas", "libopenblas.so.0"),
              new Library("pytorch", "libc10.so"),
              new Library("pytorch", "libtorch_cpu.so")));
  private static final Platform MACOSX_ARM64 =
      new Platform(
          "macosx-arm64",
          List.of(
              new Library("pytorch", "libomp.dylib"),
              new Library("openblas", "libgcc_s.1.1.dylib"),
              new Library("openblas", "libquadmath.0.dylib"),
              new Library("openblas", "libgfortran.5.dylib"),
              new Library("openblas", "libopenblas.0.dylib"),
              new Library("pytorch", "libc10.dylib"),
              new Library("pytorch", "libtorch_cpu.dylib")));
  private static final Platform WINDOWS_X86_64 =
      new Platform(
          "windows-x86_64",
          List.of(
              new Library("openblas", "libopenblas.dll"),
              new Library("pytorch", "libiomp5md.dll"),
              new Library("pytorch", "c10.dll"),
              new Library("pytorch", "torch_cpu.dll")));

  Platform {
    libraries = List.copyOf(libraries);
  }

  /// A shared library and the artefact whose jar holds it.
  record Library(String artefact, String fileName) {

    /// Where a class loader finds it.
    String resource(Platform platform) {
      return "org/bytedeco/" + artefact + "/" + platform.classifier + "/" + fileName;
    }
  }

  /// The platform of this process, where it is one of these.
  static Optional<Platform> current() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String architecture = System.getProperty("os.arch");
    boolean x86 = architecture.equals("amd64") || architecture.equals("x86_64");
    if (os.startsWith("linux") && x86) {
      return Optional.of(LINUX_X86_64);
    }
    if (os.startsWith("mac") && architecture.equals("aarch64")) {
      return Optional.of(MACOSX_ARM64);
    }
    if (os.startsWith("windows") && x86) {
      return Optional.of(WINDOWS_X86_64);
    }
    return Optional.empty();
  }
}
