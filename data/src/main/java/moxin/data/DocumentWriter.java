package moxin.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// Writes one part of a corpus as compressed JSON lines; the part has its name once it is whole.
public final class DocumentWriter implements AutoCloseable {
  private final Path part;
  private final Path partial;
  private final JsonGenerator json;

  /// Begins a part; `attempt` tells concurrent tries at the same part apart.
  public DocumentWriter(Path part, long attempt) throws IOException {
    this.part = part;
    this.partial = part.resolveSibling("." + part.getFileName() + ".partial-" + attempt);
    Files.createDirectories(java.util.Objects.requireNonNull(part.getParent()));
    json =
        new JsonFactory()
            .createGenerator(
                new BufferedOutputStream(
                    new ZstdOutputStreamNoFinalizer(Files.newOutputStream(partial), 3), 1 << 16));
    json.setRootValueSeparator(null);
  }

  /// The path of part `number` of a source below the directory of a corpus.
  public static Path partOf(Path corpus, Split split, String source, int number) {
    return corpus
        .resolve(Documents.FOLDER)
        .resolve(split.folder())
        .resolve(source)
        .resolve("part-%05d.jsonl.zst".formatted(number));
  }

  /// Appends a document.
  public void add(StagedDocument document) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", document.id());
    json.writeStringField("source", document.source());
    json.writeStringField("licence", document.licence());
    json.writeStringField("hash", document.hash());
    json.writeFieldName("text");
    json.writeString(document.text());
    json.writeEndObject();
    json.writeRaw('\n');
  }

  /// Puts the part under its name.
  public void commit() throws IOException {
    json.close();
    Files.move(partial, part, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void close() throws IOException {
    json.close();
    Files.deleteIfExists(partial);
  }
}
