package moxin.release;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;

/// Copies files into a release; big ones as hard links where the file system has them, since
/// neither side is ever written in place.
final class FolderCopy {
  private static final long LINKED_BYTES = 1 << 20;

  private FolderCopy() {}

  /// Copies `from`, if it is a regular file, to `to`.
  static void file(Path from, Path to) throws IOException {
    if (!Files.isRegularFile(from)) {
      return;
    }
    Path parent = to.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    if (Files.size(from) >= LINKED_BYTES && Files.isWritable(from) && linked(from, to)) {
      return;
    }
    // Not with the permissions of the original, which may be read-only as a JDK's files are.
    try (InputStream in = Files.newInputStream(from)) {
      Files.copy(in, to);
    }
    if (Files.isExecutable(from)) {
      to.toFile().setExecutable(true);
    }
  }

  /// Copies the regular files under `from`, without hidden ones, build outputs and links.
  static void tree(Path from, Path to) throws IOException {
    tree(from, to, Set.of());
  }

  /// As above without the files called one of `left`.
  static void tree(Path from, Path to, Set<String> left) throws IOException {
    if (!Files.isDirectory(from)) {
      return;
    }
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            String name = String.valueOf(directory.getFileName());
            boolean skipped = !directory.equals(from) && name.startsWith(".");
            return skipped || name.equals("target")
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            String name = String.valueOf(file.getFileName());
            if (attributes.isRegularFile() && !name.startsWith(".") && !left.contains(name)) {
              file(file, to.resolve(from.relativize(file).toString()));
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static boolean linked(Path from, Path to) throws IOException {
    try {
      Files.createLink(to, from.toRealPath());
      return true;
    } catch (UnsupportedOperationException | FileSystemException e) {
      Files.deleteIfExists(to);
      return false;
    }
  }
}
