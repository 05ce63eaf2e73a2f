package moxin.train.tensorboard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Reads event files as the format's descriptions say, sharing nothing with the writer: checksums
/// bit by bit, messages as numbered fields.
public final class EventReader {
  private final byte[] bytes;
  private int position;

  private EventReader(byte[] bytes) {
    this.bytes = bytes;
  }

  /// An event; `version` is empty and `session` is 0 where there is none.
  public record Event(
      double time, long step, String version, long session, Map<String, Float> values) {}

  /// Values by tag and step.
  public record Curves(Map<String, TreeMap<Long, Float>> byTag) {

    /// The values of a tag by step, empty if there is no such tag.
    public Map<Long, Float> of(String tag) {
      return byTag.getOrDefault(tag, new TreeMap<>());
    }
  }

  /// The event files of a directory by name.
  public static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(file -> file.getFileName().toString().contains("tfevents"))
          .sorted()
          .toList();
    }
  }

  /// The events of a file, all checksums verified.
  public static List<Event> read(Path file) {
    try {
      EventReader in = new EventReader(Files.readAllBytes(file));
      List<Event> events = new ArrayList<>();
      while (in.position < in.bytes.length) {
        events.add(event(in.record()));
      }
      return events;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// All values of a directory by tag and step, as a reader sees them that knows no sessions; a
  /// step that stands twice fails.
  public static Curves scalars(Path directory) throws IOException {
    Map<String, TreeMap<Long, Float>> scalars = new TreeMap<>();
    for (Path file : files(directory)) {
      for (Event event : read(file)) {
        event
            .values()
            .forEach(
                (tag, value) ->
                    assertThat(
                            scalars
                                .computeIfAbsent(tag, key -> new TreeMap<>())
                                .put(event.step(), value))
                        .as("%s at step %d twice", tag, event.step())
                        .isNull());
      }
    }
    return new Curves(scalars);
  }

  static long unmaskedChecksum(long masked) {
    long rotated = masked - 0xa282ead8L & 0xffffffffL;
    return (rotated >>> 17 | rotated << 15) & 0xffffffffL;
  }

  /// CRC-32C by its definition: the reflected polynomial 0x1EDC6F41, one bit at a time.
  static long checksum(byte[] data) {
    long crc = 0xffffffffL;
    for (byte value : data) {
      crc ^= value & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 0 ? crc >>> 1 : crc >>> 1 ^ 0x82f63b78L;
      }
    }
    return crc ^ 0xffffffffL;
  }

  private byte[] record() {
    byte[] header = take(8);
    assertThat(unmaskedChecksum(number(take(4)))).isEqualTo(checksum(header));
    byte[] data = take((int) number(header));
    assertThat(unmaskedChecksum(number(take(4)))).isEqualTo(checksum(data));
    return data;
  }

  private byte[] take(int count) {
    assertThat(count).isBetween(0, bytes.length - position);
    position += count;
    return Arrays.copyOfRange(bytes, position - count, position);
  }

  private static long number(byte[] littleEndian) {
    long value = 0;
    for (int i = littleEndian.length - 1; i >= 0; i--) {
      value = (value << 8) | (littleEndian[i] & 0xff);
    }
    return value;
  }

  private static Event event(byte[] message) {
    Map<Integer, List<byte[]>> fields = fields(message);
    Map<String, Float> values = new HashMap<>();
    for (byte[] summary : fields.getOrDefault(5, List.of())) {
      for (byte[] value : fields(summary).getOrDefault(1, List.of())) {
        Map<Integer, List<byte[]>> parts = fields(value);
        values.put(text(parts, 1), Float.intBitsToFloat((int) number(first(parts, 2))));
      }
    }
    long session =
        fields.getOrDefault(7, List.of()).stream()
            .mapToLong(log -> number(first(fields(log), 1)))
            .sum();
    return new Event(
        Double.longBitsToDouble(number(first(fields, 1))),
        fields.containsKey(2) ? number(first(fields, 2)) : 0,
        text(fields, 3),
        session,
        values);
  }

  private static byte[] first(Map<Integer, List<byte[]>> fields, int field) {
    return fields.getOrDefault(field, List.of()).getFirst();
  }

  private static String text(Map<Integer, List<byte[]>> fields, int field) {
    return fields.getOrDefault(field, List.of(new byte[0])).stream()
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
        .findFirst()
        .orElseThrow();
  }

  /// The fields of a message by number; varints as eight little-endian bytes.
  private static Map<Integer, List<byte[]>> fields(byte[] message) {
    EventReader in = new EventReader(message);
    Map<Integer, List<byte[]>> fields = new HashMap<>();
    while (in.position < message.length) {
      long key = in.varint();
      byte[] value =
          switch ((int) (key % 8)) {
            case 0 -> littleEndian(in.varint());
            case 1 -> in.take(8);
            case 2 -> in.take((int) in.varint());
            case 5 -> in.take(4);
            default -> throw new AssertionError("wire type of key " + key);
          };
      fields.computeIfAbsent((int) (key / 8), number -> new ArrayList<>()).add(value);
    }
    return fields;
  }

  private static byte[] littleEndian(long value) {
    byte[] result = new byte[8];
    for (int i = 0; i < 8; i++) {
      result[i] = (byte) (value >>> (8 * i));
    }
    return result;
  }

  private long varint() {
    long value = 0;
    long unit = 1;
    int next;
    do {
      next = take(1)[0] & 0xff;
      value += unit * (next % 128);
      unit *= 128;
    } while (next >= 128);
    return value;
  }
}
