package moxin.data.read;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import moxin.data.CorpusRecipe.Source;
import moxin.data.DocumentOrder;
import moxin.data.Draft;
import moxin.data.Draft.Form;
import moxin.data.Utf8;
import moxin.data.source.Licences;

/// Reads JSON lines: one object with the field `text` or `content` a line, and a `license` where
/// there is one.
final class JsonLinesReader {
  private static final int MAX_LINE = 64 << 20;
  private static final JsonMapper JSON =
      new JsonMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxStringLength(MAX_LINE)
                      .maxNestingDepth(200)
                      .build())
              .build());

  private final Source source;
  private final String path;
  private final ReadSink sink;

  JsonLinesReader(Source source, String path, ReadSink sink) {
    this.source = source;
    this.path = path;
    this.sink = sink;
  }

  void read(InputStream in) throws IOException {
    CountingStream counted = new CountingStream(in);
    BufferedInputStream buffered = new BufferedInputStream(counted, 1 << 16);
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long number = 1;
    boolean tooLong = false;
    try {
      for (int b = buffered.read(); b >= 0; b = buffered.read()) {
        if (b == '\n') {
          line(line.toByteArray(), tooLong, number++);
          line.reset();
          tooLong = false;
        } else if (line.size() < MAX_LINE) {
          line.write(b);
        } else {
          tooLong = true;
        }
      }
      if (line.size() > 0) {
        line(line.toByteArray(), tooLong, number);
      }
    } catch (IOException e) {
      throw new IOException("line " + number + ": " + e.getMessage(), e);
    } finally {
      sink.file(source.name(), path, counted.count(), Licences.NO_ASSERTION, "");
    }
  }

  private void line(byte[] bytes, boolean tooLong, long number) {
    String where = path + ":" + number;
    if (tooLong) {
      sink.skipped(source.name(), "line-too-long", where);
      return;
    }
    Utf8.Decoded decoded = Utf8.decode(bytes);
    if (decoded.text().isBlank()) {
      return;
    }
    try {
      JsonNode node = JSON.readTree(decoded.text());
      JsonNode text = node.hasNonNull("text") ? node.get("text") : node.get("content");
      if (text == null || !text.isTextual()) {
        sink.skipped(source.name(), "no-text-field", where);
        return;
      }
      JsonNode licence = node.get("license");
      sink.replaced(source.name(), where, decoded.replaced());
      sink.draft(
          new Draft(
              "%s:%s#%09d".formatted(source.name(), path, number),
              source.name(),
              Form.PROSE,
              DocumentOrder.splitKey(where, bytes),
              licence != null && licence.isTextual() && licence.asText().length() < 200
                  ? licence.asText()
                  : Licences.NO_ASSERTION,
              Utf8.normalize(text.asText())));
    } catch (JsonProcessingException e) {
      sink.skipped(source.name(), "malformed-json", where + ": " + e.getOriginalMessage());
    }
  }
}
