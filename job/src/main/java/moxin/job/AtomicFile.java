package moxin.job;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Files that appear under their name whole or not at all: written beside it, synced, renamed.
public final class AtomicFile {

  private AtomicFile() {}

  /// Writes a file's content through an open channel.
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  /// Replaces `file` by what `content` writes. On any failure the old file stays and nothing is
  /// left beside it; what a killed process left there is removed.
  ///
  /// @throws FileSystemException if writing fails, as on a full disk; it names `file`
  public static void write(Path file, Content content) throws IOException {
    Path target = file.toAbsolutePath();
    Path parent = parentOf(target);
    Files.createDirectories(parent);
    Leftovers.remove(parent, partialPrefix(target));
    Path partial = partialOf(target);
    try {
      try (FileChannel channel =
          FileChannel.open(
              partial,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      sync(parent);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      var named = new FileSystemException(file.toString(), null, e.getMessage());
      named.initCause(e);
      throw named;
    } finally {
      Files.deleteIfExists(partial);
    }
  }

  /// Replaces `file` by `text` in UTF-8.
  public static void write(Path file, String text) throws IOException {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  /// Replaces `file` by `bytes`.
  public static void write(Path file, byte[] bytes) throws IOException {
    write(
        file,
        channel -> {
          java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(bytes);
          while (buffer.hasRemaining()) {
            channel.write(buffer);
          }
        });
  }

  static Path parentOf(Path absolute) {
    Path parent = absolute.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(absolute + " has no parent directory");
    }
    return parent;
  }

  /// The hidden sibling in which `target` grows; its name tells a later run what it may delete.
  static Path partialOf(Path target) {
    return target.resolveSibling(partialPrefix(target) + ProcessHandle.current().pid());
  }

  static String partialPrefix(Path target) {
    return "." + target.getFileName() + ".partial-";
  }

  /// Makes a rename inside `directory` survive a power cut, where the platform lets one sync a
  /// directory.
  static void sync(Path directory) throws IOException {
    if (isPosix(directory)) {
      try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
        channel.force(true);
      }
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }
}
