package moxin.data.read;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusRecipe.Source;
import moxin.data.DocumentOrder;
import moxin.data.Draft;
import moxin.data.Draft.Form;
import moxin.data.Utf8;
import moxin.data.source.Licences;

/// Reads one unit of input. A broken file costs that file, not the run.
public final class UnitReader {
  private final CorpusRecipe recipe;

  public UnitReader(CorpusRecipe recipe) {
    this.recipe = recipe;
  }

  /// Reads `unit` into `sink`. Parquet units are not for this reader.
  public void read(InputUnit unit, ReadSink sink) throws IOException {
    switch (unit.format()) {
      case JDK_ARCHIVE -> new JdkArchiveReader(recipe).read(unit, sink);
      case TEXT, CODE, JSON_LINES -> readFile(unit, sink);
      case PARQUET -> throw new IllegalArgumentException("Parquet is read by Spark");
    }
  }

  private void readFile(InputUnit unit, ReadSink sink) {
    Source source = recipe.source(unit.sources().getFirst()).orElseThrow();
    String path = unit.entries().getFirst();
    try (InputStream in = open(Path.of(unit.file()))) {
      switch (unit.format()) {
        case JSON_LINES -> new JsonLinesReader(source, path, sink).read(in);
        case CODE -> code(source, path, in, sink);
        default -> text(source, path, in, sink);
      }
    } catch (IOException e) {
      sink.skipped(source.name(), "unreadable-file", path + ": " + e.getMessage());
    }
  }

  private static InputStream open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    String name = file.getFileName().toString();
    try {
      if (name.endsWith(".gz")) {
        return new GZIPInputStream(in, 1 << 16);
      }
      return name.endsWith(".zst") ? new ZstdInputStreamNoFinalizer(in).setContinuous(false) : in;
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private void code(Source source, String path, InputStream in, ReadSink sink) throws IOException {
    byte[] bytes = in.readNBytes(recipe.maxDocumentBytes() + 1);
    if (bytes.length > recipe.maxDocumentBytes()) {
      sink.skipped(source.name(), "too-long", path);
      return;
    }
    if (Utf8.looksBinary(bytes)) {
      sink.skipped(source.name(), "binary-file", path);
      return;
    }
    Utf8.Decoded decoded = Utf8.decode(bytes);
    String text = Utf8.normalize(decoded.text());
    Licences.Finding licence = Licences.classify(Licences.headerOf(text));
    String expression =
        licence.expression().equals(Licences.NONE) ? Licences.NO_ASSERTION : licence.expression();
    sink.file(source.name(), path, bytes.length, expression, licence.evidence());
    sink.replaced(source.name(), path, decoded.replaced());
    sink.draft(
        new Draft(
            source.name() + ":" + path,
            source.name(),
            Form.CODE,
            DocumentOrder.splitKey(path, bytes),
            expression,
            text));
  }

  /// Cuts a text file into sections of about `sectionBytes`, in memory bounded by one section.
  private void text(Source source, String path, InputStream in, ReadSink sink) throws IOException {
    CountingStream counted = new CountingStream(in);
    BufferedReader reader = new BufferedReader(Utf8.reader(counted));
    StringBuilder section = new StringBuilder();
    int sections = 0;
    for (int c = reader.read(); c >= 0; c = reader.read()) {
      if (c == 0) {
        sink.skipped(source.name(), "binary-file", path);
        return;
      }
      section.append((char) c);
      if (c == '\n' ? mayCutAtLine(section) : mayCutAnywhere(section)) {
        section(source, path, sections++, section, sink);
      }
    }
    if (!section.isEmpty()) {
      section(source, path, sections, section, sink);
    }
    sink.file(source.name(), path, counted.count(), Licences.NO_ASSERTION, "");
  }

  /// At a blank line once half a section is full, at any line once a whole one is.
  private boolean mayCutAtLine(StringBuilder section) {
    int length = section.length();
    return length >= recipe.sectionBytes()
        || (length >= recipe.sectionBytes() / 2 && isBlankLineEnd(section));
  }

  /// Inside a line that is longer than two sections, but not inside a character.
  private boolean mayCutAnywhere(StringBuilder section) {
    int length = section.length();
    return length >= recipe.sectionBytes() * 2
        && !Character.isHighSurrogate(section.charAt(length - 1));
  }

  private static boolean isBlankLineEnd(StringBuilder text) {
    int i = text.length() - 2;
    while (i >= 0 && (text.charAt(i) == '\r' || text.charAt(i) == ' ' || text.charAt(i) == '\t')) {
      i--;
    }
    return i >= 0 && text.charAt(i) == '\n';
  }

  private static void section(
      Source source, String path, int number, StringBuilder section, ReadSink sink) {
    String raw = section.toString();
    section.setLength(0);
    String text = Utf8.normalize(raw);
    String id = "%s:%s#%06d".formatted(source.name(), path, number);
    sink.replaced(source.name(), path, text.chars().filter(c -> c == 0xFFFD).count());
    sink.draft(
        new Draft(
            id,
            source.name(),
            Form.PROSE,
            DocumentOrder.splitKey(id, text.getBytes(java.nio.charset.StandardCharsets.UTF_8)),
            Licences.NO_ASSERTION,
            text));
  }
}
