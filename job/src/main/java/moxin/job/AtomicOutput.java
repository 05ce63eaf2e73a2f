package moxin.job;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// A file that is written over a longer time and appears under its name whole or not at all.
///
/// Write to [#channel()], then [#commit()]; closing without commit removes what was written. Use
/// [AtomicFile] where the content is at hand.
public final class AtomicOutput implements AutoCloseable {
  private final Path target;
  private final Path partial;
  private final FileChannel channel;

  private AtomicOutput(Path target, Path partial, FileChannel channel) {
    this.target = target;
    this.partial = partial;
    this.channel = channel;
  }

  /// Opens a partial file beside `target`.
  public static AtomicOutput open(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    Files.createDirectories(AtomicFile.parentOf(absolute));
    Path partial = AtomicFile.partialOf(absolute);
    FileChannel channel =
        FileChannel.open(
            partial,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    return new AtomicOutput(absolute, partial, channel);
  }

  /// Where to write.
  public FileChannel channel() {
    return channel;
  }

  /// Syncs the file and puts it under its name; what stood there before is replaced.
  public void commit() throws IOException {
    channel.force(true);
    channel.close();
    Files.move(
        partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    AtomicFile.sync(AtomicFile.parentOf(target));
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(partial);
  }
}
