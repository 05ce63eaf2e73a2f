package moxin.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// JSON files of a model directory, read with bounds.
final class CheckpointJson {

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(100)
                          .maxNumberLength(100)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private CheckpointJson() {}

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  static JsonParser parser(byte[] json) throws IOException {
    return JSON.createParser(json);
  }

  static String pretty(ObjectNode node) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }

  static byte[] compact(ObjectNode node) {
    try {
      return JSON.writeValueAsString(node).getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }

  static ObjectNode readObject(Path file, long maxBytes) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointFormatException(file + ": no such file");
    }
    long size = Files.size(file);
    if (size > maxBytes) {
      throw new CheckpointFormatException(
          file + ": " + size + " bytes, at most " + maxBytes + " are expected");
    }
    return parseObject(file.toString(), Files.readAllBytes(file));
  }

  static ObjectNode parseObject(String origin, byte[] json) {
    try {
      if (JSON.readTree(json) instanceof ObjectNode object) {
        return object;
      }
      throw new CheckpointFormatException(origin + ": expected a JSON object");
    } catch (JsonProcessingException e) {
      String line = e.getLocation() == null ? "" : " line " + e.getLocation().getLineNr() + ":";
      throw new CheckpointFormatException(
          origin + ":" + line + " " + oneLine(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new CheckpointFormatException(
          origin + ": no valid JSON: " + oneLine(String.valueOf(e.getMessage())), e);
    }
  }

  /// `text` from a file as a short single line for a message.
  static String oneLine(String text) {
    String line = text.replaceAll("\\s+", " ");
    return line.length() <= 200 ? line : line.substring(0, 200) + "…";
  }
}
