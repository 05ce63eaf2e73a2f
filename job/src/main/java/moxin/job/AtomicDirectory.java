package moxin.job;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// A directory that appears under its name whole or not at all.
///
/// Fill [#path()], then [#commit()]; closing without commit removes what was written. Partial
/// directories of killed processes are removed when the same target is opened again.
public final class AtomicDirectory implements AutoCloseable {
  private final Path target;
  private final Path partial;
  private boolean committed;

  private AtomicDirectory(Path target, Path partial) {
    this.target = target;
    this.partial = partial;
  }

  /// Opens a partial directory beside `target`. A target that a killed process had set aside to
  /// replace it, without getting to it, is put back.
  public static AtomicDirectory open(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path parent = AtomicFile.parentOf(absolute);
    Files.createDirectories(parent);
    Path replaced = replacedOf(absolute);
    if (!Files.exists(absolute) && Files.exists(replaced)) {
      Files.move(replaced, absolute, StandardCopyOption.ATOMIC_MOVE);
    }
    deleteTree(replaced);
    Leftovers.remove(parent, AtomicFile.partialPrefix(absolute));
    Path partial = AtomicFile.partialOf(absolute);
    deleteTree(partial);
    Files.createDirectory(partial);
    return new AtomicDirectory(absolute, partial);
  }

  /// Where to write.
  public Path path() {
    return partial;
  }

  /// Syncs every file and puts the directory under its name; what stood there before is replaced.
  public void commit() throws IOException {
    try (Stream<Path> files = Files.walk(partial)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      }
    }
    AtomicFile.sync(partial);
    if (Files.exists(target)) {
      Path old = replacedOf(target);
      deleteTree(old);
      Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
      deleteTree(old);
    } else {
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    }
    AtomicFile.sync(AtomicFile.parentOf(target));
    committed = true;
  }

  @Override
  public void close() throws IOException {
    if (!committed) {
      deleteTree(partial);
    }
  }

  /// Deletes `root` and everything below it; nothing happens when it is absent.
  public static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(root)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.deleteIfExists(path);
    }
  }

  private static Path replacedOf(Path target) {
    return target.resolveSibling("." + target.getFileName() + ".partial-old");
  }
}
