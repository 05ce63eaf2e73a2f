package moxin.train.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// The `metrics.jsonl` of a run, looked at from outside while it grows.
final class StepLog {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int TAIL = 8192;
  private static final String ABSENT = "absent";
  private static final List<String> COMPARED = List.of("step", "loss", "lr", "gradNorm", "tokens");

  private StepLog() {}

  /// Tells a log from the one that replaces it; nothing but itself if there is none.
  static Object identity(Path file) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      Object key = attributes.fileKey();
      return key == null ? attributes.creationTime() : key;
    } catch (NoSuchFileException e) {
      return ABSENT;
    }
  }

  /// The step of the last whole line; 0 without one.
  static long lastStep(Path file) throws IOException {
    return last(file).map(line -> line.path("step").asLong()).orElse(0L);
  }

  /// The mean time of a step.
  static Duration perStep(Path file) throws IOException {
    return last(file)
        .map(line -> line.path("seconds").asDouble() / Math.max(1, line.path("step").asLong()))
        .map(seconds -> Duration.ofNanos((long) (1e9 * seconds)))
        .orElse(Duration.ZERO);
  }

  private static Optional<JsonNode> last(Path file) throws IOException {
    String tail;
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(Math.max(0, in.length() - TAIL));
      byte[] bytes = new byte[TAIL];
      int count = Math.max(0, in.read(bytes));
      tail = new String(bytes, 0, count, StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
    int end = tail.lastIndexOf('\n');
    return end < 0
        ? Optional.empty()
        : parse(tail.substring(tail.lastIndexOf('\n', end - 1) + 1, end));
  }

  /// The first step whose numbers differ, and how.
  static Optional<String> firstDifference(Path whole, Path killed) throws IOException {
    List<String> expected = Files.readAllLines(whole);
    List<String> found = Files.readAllLines(killed);
    for (int i = 0; i < Math.min(expected.size(), found.size()); i++) {
      JsonNode then = parse(expected.get(i)).orElseThrow();
      JsonNode now = parse(found.get(i)).orElseThrow();
      for (String field : COMPARED) {
        if (!then.path(field).equals(now.path(field))) {
          return Optional.of(
              "step "
                  + then.path("step").asText()
                  + ": "
                  + field
                  + " is "
                  + then.path(field)
                  + " undisturbed, "
                  + now.path(field)
                  + " killed");
        }
      }
    }
    return expected.size() == found.size()
        ? Optional.empty()
        : Optional.of(
            expected.size() + " steps in the log undisturbed, " + found.size() + " killed");
  }

  private static Optional<JsonNode> parse(String line) {
    try {
      return Optional.of(JSON.readTree(line));
    } catch (JsonProcessingException e) {
      return Optional.empty(); // a run cuts torn lines away when it goes on
    }
  }
}
