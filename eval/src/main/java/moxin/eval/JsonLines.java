package moxin.eval;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.github.luben.zstd.ZstdInputStream;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/// Files of JSON objects, one a line, plain or compressed (`.gz`, `.zst`).
final class JsonLines {

  /// No line is longer, packed or not; what claims to be is no document.
  private static final int MAX_LINE_BYTES = 1 << 28;

  static final JsonMapper JSON =
      new JsonMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxStringLength(MAX_LINE_BYTES)
                      .maxNestingDepth(64)
                      .build())
              .build());

  private JsonLines() {}

  /// Takes one line's object.
  @FunctionalInterface
  interface Visitor {
    /// Returns whether to go on reading.
    boolean visit(ObjectNode object, String where);
  }

  /// The files under `path` that hold JSON lines, sorted by name; `path` itself if it is a file.
  static List<Path> files(Path path) {
    if (Files.isRegularFile(path)) {
      return List.of(path);
    }
    if (!Files.isDirectory(path)) {
      throw new TaskDataException(path + ": no such file or folder");
    }
    try (Stream<Path> walk = Files.walk(path)) {
      List<Path> files =
          walk.filter(Files::isRegularFile)
              .filter(file -> file.toString().matches(".*\\.jsonl(\\.gz|\\.zst)?"))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        throw new TaskDataException(path + ": no .jsonl, .jsonl.gz or .jsonl.zst file in it");
      }
      return files;
    } catch (IOException e) {
      throw new TaskDataException(path + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /// Hands every object of `file` to `visitor`; blank lines are passed over.
  ///
  /// @throws TaskDataException if a line is no JSON object, too long, or the file cannot be read
  static void read(Path file, Visitor visitor) {
    try (InputStream in = open(file)) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      int number = 1;
      for (int b = in.read(); b >= 0; b = in.read()) {
        if (b == '\n') {
          if (!parse(file, number, line, visitor)) {
            return;
          }
          line.reset();
          number++;
        } else if (line.size() == MAX_LINE_BYTES) {
          throw new TaskDataException(
              file + ":" + number + ": a line has at most " + MAX_LINE_BYTES + " bytes");
        } else {
          line.write(b);
        }
      }
      parse(file, number, line, visitor);
    } catch (IOException e) {
      throw new TaskDataException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /// The string `field` of `object`.
  ///
  /// @throws TaskDataException if it is absent or no string
  static String text(ObjectNode object, String field, String where) {
    JsonNode value = object.get(field);
    if (value == null || !value.isTextual()) {
      throw new TaskDataException(
          where
              + ": expected a string \""
              + field
              + "\", found "
              + (value == null
                  ? "none"
                  : value.getNodeType().toString().toLowerCase(java.util.Locale.ROOT)));
    }
    return value.textValue();
  }

  private static boolean parse(Path file, int number, ByteArrayOutputStream line, Visitor visitor) {
    String where = file + ":" + number;
    String text = line.toString(StandardCharsets.UTF_8);
    if (text.isBlank()) {
      return true;
    }
    try {
      if (JSON.readTree(text) instanceof ObjectNode object) {
        return visitor.visit(object, where);
      }
      throw new TaskDataException(where + ": expected a JSON object");
    } catch (JsonProcessingException e) {
      throw new TaskDataException(where + ": not JSON: " + firstLine(e.getOriginalMessage()), e);
    }
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }

  private static InputStream open(Path file) throws IOException {
    InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    String name = file.toString();
    try {
      if (name.endsWith(".gz")) {
        return new BufferedInputStream(new GZIPInputStream(raw), 1 << 16);
      }
      if (name.endsWith(".zst")) {
        return new BufferedInputStream(new ZstdInputStream(raw), 1 << 16);
      }
      return raw;
    } catch (IOException e) {
      raw.close();
      throw e;
    }
  }
}
