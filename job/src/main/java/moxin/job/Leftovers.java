package moxin.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Temporary files and directories whose names end with the id of the process that made them. Those
/// of processes that are gone, killed before they could tidy up, may be removed.
public final class Leftovers {

  private Leftovers() {}

  /// Deletes what in `directory` is called `prefix` and the id of a process that no longer runs.
  public static void remove(Path directory, String prefix) throws IOException {
    List<Path> leftovers;
    try (Stream<Path> entries = Files.list(directory)) {
      leftovers = entries.filter(path -> isAbandoned(path, prefix)).toList();
    }
    for (Path leftover : leftovers) {
      AtomicDirectory.deleteTree(leftover);
    }
  }

  private static boolean isAbandoned(Path path, String prefix) {
    String name = path.getFileName().toString();
    if (!name.startsWith(prefix)) {
      return false;
    }
    String id = name.substring(prefix.length());
    return id.matches("[0-9]{1,18}") && ProcessHandle.of(Long.parseLong(id)).isEmpty();
  }
}
