package moxin.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/// The reference data beside the project (`../shared/data` from its root). It is not part of the
/// project; tests that need it are reported as skipped where it is absent.
public final class SharedData {

  private SharedData() {}

  /// The file or directory `relative` of the reference data; aborts the test where it is absent.
  public static Path require(String relative) {
    Optional<Path> path = find(relative);
    Assumptions.assumeTrue(path.isPresent(), () -> "needs ../shared/data/" + relative);
    return path.orElseThrow();
  }

  /// The file or directory `relative` of the reference data, where present.
  public static Optional<Path> find(String relative) {
    Path path = projectRoot().resolveSibling("shared").resolve("data").resolve(relative);
    return Files.exists(path) ? Optional.of(path) : Optional.empty();
  }

  /// The project's root: the nearest directory above the working directory that holds `mvnw`.
  public static Path projectRoot() {
    Path start = Path.of("").toAbsolutePath();
    for (Path directory = start; directory != null; directory = directory.getParent()) {
      if (Files.exists(directory.resolve("mvnw"))) {
        return directory;
      }
    }
    throw new IllegalStateException("no project root above " + start);
  }
}
