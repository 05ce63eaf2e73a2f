package moxin.train.tensorboard;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The event files that earlier writers left in a directory. Files of other programs have other
/// names and are not touched.
final class EventFiles {
  private static final Pattern NAME =
      Pattern.compile("events\\.out\\.tfevents\\.([0-9]{10,12})\\.moxin");
  private static final int MAX_EVENT_BYTES = 1 << 20;

  private EventFiles() {}

  static String nameOf(long second) {
    return String.format(Locale.ROOT, "events.out.tfevents.%010d.moxin", second);
  }

  /// The files of `directory` in the order in which they were made.
  static List<Path> in(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(file -> secondOf(file) >= 0)
          .filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
          .sorted(Comparator.comparingLong(EventFiles::secondOf))
          .toList();
    }
  }

  /// The second in a file's name; -1 for other names.
  static long secondOf(Path file) {
    Matcher name = NAME.matcher(String.valueOf(file.getFileName()));
    return name.matches() ? Long.parseLong(name.group(1)) : -1;
  }

  /// Cuts `file` before its first event after `lastStep`, or before what is no whole event; removes
  /// it if no step is left.
  static void cutAfter(Path file, long lastStep) throws IOException {
    long kept = 0;
    boolean steps = false;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      byte[] event = next(in);
      OptionalLong step = EventMessage.stepOf(event);
      while (event.length > 0 && step.isPresent() && step.getAsLong() <= lastStep) {
        kept += Frame.HEADER + event.length + Frame.FOOTER;
        steps |= step.getAsLong() > 0;
        event = next(in);
        step = EventMessage.stepOf(event);
      }
    }
    if (!steps) {
      Files.delete(file);
    } else if (kept < Files.size(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(kept);
        channel.force(true);
      }
    }
  }

  /// The next event; empty at the end or where a frame is torn or damaged.
  private static byte[] next(InputStream in) throws IOException {
    byte[] header = in.readNBytes(Frame.HEADER);
    if (header.length < Frame.HEADER) {
      return new byte[0];
    }
    ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    long length = fields.getLong();
    if (fields.getInt() != Frame.maskedChecksum(header, 0, Long.BYTES)
        || length < 1
        || length > MAX_EVENT_BYTES) {
      return new byte[0];
    }
    byte[] event = in.readNBytes((int) length);
    byte[] footer = in.readNBytes(Frame.FOOTER);
    if (footer.length < Frame.FOOTER
        || ByteBuffer.wrap(footer).order(ByteOrder.LITTLE_ENDIAN).getInt()
            != Frame.maskedChecksum(event, 0, event.length)) {
      return new byte[0];
    }
    return event;
  }
}
