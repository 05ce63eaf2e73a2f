package moxin.train.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import moxin.job.AtomicFile;

/// A file of JSON lines that grows with the run. What a killed run wrote after the step from which
/// it goes on is cut away, so that no step stands twice.
final class JsonLog implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final FileChannel channel;

  private JsonLog(FileChannel channel) {
    this.channel = channel;
  }

  /// Opens `file` with the lines whose `step` is at most `lastStep`.
  static JsonLog open(Path file, long lastStep) throws IOException {
    return open(file, lines -> lines.filter(line -> stepOf(line) <= lastStep));
  }

  /// Opens `file` with its first `count` lines.
  static JsonLog openFirst(Path file, long count) throws IOException {
    return open(file, lines -> lines.limit(count));
  }

  private static JsonLog open(Path file, UnaryOperator<Stream<String>> choice) throws IOException {
    StringBuilder kept = new StringBuilder();
    if (Files.exists(file)) {
      // Decoded as a whole: a line torn inside a character is no reason to fail.
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      choice.apply(text.lines()).forEach(line -> kept.append(line).append('\n'));
    }
    AtomicFile.write(file, kept.toString());
    return new JsonLog(FileChannel.open(file, StandardOpenOption.APPEND));
  }

  /// Adds a line; on failure, as on a full disk, the file stays as it was.
  void add(Object line) throws IOException {
    byte[] bytes = (JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8);
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    long before = channel.size();
    try {
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    } catch (IOException e) {
      if (channel.isOpen()) {
        channel.truncate(before);
      }
      throw e;
    }
  }

  void sync() throws IOException {
    channel.force(true);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private static long stepOf(String line) {
    try {
      JsonNode step = JSON.readTree(line).path("step");
      return step.canConvertToLong() && step.isNumber() ? step.asLong() : Long.MAX_VALUE;
    } catch (JsonProcessingException e) {
      return Long.MAX_VALUE; // torn by a kill in the middle of a write
    }
  }
}
