package moxin.torch;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The folder for files that can be made again: `MOXIN_CACHE`, or the platform's usual place.
final class UserCache {

  private UserCache() {}

  static Path directory() {
    return directory(
        System.getenv(),
        System.getProperty("os.name").toLowerCase(Locale.ROOT),
        Path.of(System.getProperty("user.home")));
  }

  static Path directory(Map<String, String> environment, String os, Path home) {
    Optional<Path> chosen = path(environment, "MOXIN_CACHE");
    if (chosen.isPresent()) {
      return chosen.get();
    }
    if (os.startsWith("mac")) {
      return home.resolve("Library").resolve("Caches").resolve("moxin");
    }
    if (os.startsWith("windows")) {
      return path(environment, "LOCALAPPDATA")
          .orElse(home.resolve("AppData").resolve("Local"))
          .resolve("moxin")
          .resolve("cache");
    }
    return path(environment, "XDG_CACHE_HOME").orElse(home.resolve(".cache")).resolve("moxin");
  }

  private static Optional<Path> path(Map<String, String> environment, String name) {
    return Optional.ofNullable(environment.get(name))
        .filter(value -> !value.isBlank())
        .map(Path::of);
  }
}
