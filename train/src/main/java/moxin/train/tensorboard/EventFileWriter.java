package moxin.train.tensorboard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// Writes scalars to a new event file, `events.out.tfevents.SECONDS.moxin`, as TensorBoard shows
/// them. Every call is handed to the operating system at once, so that TensorBoard can watch a run.
///
/// A run that goes on after an earlier step starts a new file. What earlier files of this writer
/// hold after that step, or was torn by a kill, is cut away; and the new file begins with a session
/// start, at which a TensorBoard that has read the lost steps already forgets them.
///
/// For one thread.
public final class EventFileWriter implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  private EventFileWriter(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /// Opens a new file in `directory`, which exists, for the steps after `lastStep`; 0 for a run
  /// from its beginning.
  public static EventFileWriter open(Path directory, long lastStep) throws IOException {
    List<Path> earlier = EventFiles.in(directory);
    for (Path file : earlier) {
      EventFiles.cutAfter(file, lastStep);
    }
    long now = Instant.now().getEpochSecond();
    long second =
        earlier.isEmpty() ? now : Math.max(now, EventFiles.secondOf(earlier.getLast()) + 1);
    EventFileWriter writer = create(directory, second);
    try {
      double time = Instant.now().toEpochMilli() / 1e3;
      writer.write(EventMessage.version(time));
      writer.write(EventMessage.sessionStart(time, lastStep + 1));
      return writer;
    } catch (IOException | RuntimeException e) {
      writer.close();
      throw e;
    }
  }

  /// TensorBoard reads the files of a directory in the order of their names, so each new one is
  /// named later than all before it.
  private static EventFileWriter create(Path directory, long firstSecond) throws IOException {
    for (long second = firstSecond; ; second++) {
      Path file = directory.resolve(EventFiles.nameOf(second));
      try {
        return new EventFileWriter(
            file, FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
      } catch (FileAlreadyExistsException e) {
        if (!Files.isRegularFile(file)) {
          throw e;
        }
      }
    }
  }

  /// The file that grows.
  public Path file() {
    return file;
  }

  /// Writes the values of a step by tag, such as `train/loss`, as one event. TensorBoard keeps them
  /// as 32-bit floats.
  ///
  /// @param time seconds since 1970
  public void write(long step, double time, Map<String, Double> values) throws IOException {
    if (!values.isEmpty()) {
      write(EventMessage.scalars(time, step, values));
    }
  }

  /// Makes what was written survive a power cut.
  public void sync() throws IOException {
    channel.force(true);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /// On failure, as on a full disk, the file stays as it was.
  private void write(byte[] message) throws IOException {
    ByteBuffer frame = Frame.around(message);
    long before = channel.position();
    try {
      while (frame.hasRemaining()) {
        channel.write(frame);
      }
    } catch (IOException e) {
      if (channel.isOpen()) {
        channel.truncate(before);
      }
      throw e;
    }
  }
}
