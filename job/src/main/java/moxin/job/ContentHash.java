package moxin.job;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// SHA-256 of bytes, files and directories, as 64 lower-case hexadecimal digits.
public final class ContentHash {

  private ContentHash() {}

  /// The hash of `text` in UTF-8.
  public static String of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /// The hash of `bytes`.
  public static String of(byte[] bytes) {
    return hex(digest().digest(bytes));
  }

  /// The hash of a file's content.
  public static String ofFile(Path file) throws IOException {
    MessageDigest digest = digest();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return hex(digest.digest());
  }

  /// The hash of a directory: of the lines `hash relative/path` of its regular files in the order
  /// of their paths. Manifests are left out, since they name the hash.
  public static String ofDirectory(Path root) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Path file : filesIn(root)) {
      lines.append(ofFile(file)).append("  ").append(relative(root, file)).append('\n');
    }
    return of(lines.toString());
  }

  /// The hash of a file or a directory, whichever `path` is.
  public static String ofPath(Path path) throws IOException {
    return Files.isDirectory(path) ? ofDirectory(path) : ofFile(path);
  }

  /// A fresh SHA-256 digest.
  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /// `bytes` in lower-case hexadecimal.
  public static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  static List<Path> filesIn(Path root) throws IOException {
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(Files::isRegularFile)
          .filter(file -> !file.getFileName().toString().equals(Manifest.FILE_NAME))
          .sorted((a, b) -> relative(root, a).compareTo(relative(root, b)))
          .toList();
    }
  }

  static String relative(Path root, Path file) {
    return root.relativize(file).toString().replace('\\', '/');
  }
}
