package moxin.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import moxin.job.ContentHash;
import moxin.job.Manifest;
import moxin.job.Progress;

/// The hashes of a release's files, each taken once however many manifests name it.
final class FileHashes {
  private final Path directory;
  private final Progress.Task task;
  private final Map<Path, String> known = new HashMap<>();

  /// @param directory the release; nothing outside it is read
  /// @param task told of every byte hashed
  FileHashes(Path directory, Progress.Task task) {
    this.directory = directory.toAbsolutePath().normalize();
    this.task = task;
  }

  /// Whether `name`, a path in the release, is a regular file of it.
  boolean has(String name) {
    try {
      Path file = directory.resolve(name).normalize();
      return file.startsWith(directory) && Files.isRegularFile(file);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /// Whether the file `name` of the release is there and has the content that `entry` says.
  boolean confirms(String name, Manifest.Entry entry) throws IOException {
    return has(name) && of(directory.resolve(name).normalize()).equals(entry.sha256());
  }

  private String of(Path file) throws IOException {
    String hash = known.get(file);
    if (hash == null) {
      hash = ContentHash.ofFile(file);
      known.put(file, hash);
      task.advance(Files.size(file));
    }
    return hash;
  }
}
