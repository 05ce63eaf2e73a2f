package moxin.data.read;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusRecipe.Source;
import moxin.data.DocumentOrder;
import moxin.data.Draft;
import moxin.data.Draft.Form;
import moxin.data.Utf8;
import moxin.data.source.JavaSource;
import moxin.data.source.JavadocQuestion;
import moxin.data.source.Licences;

/// Reads Java files from a `src.zip`, each once for all sources that want it.
final class JdkArchiveReader {
  /// Files with a greater share of literals, and longer than [#TABLE_LENGTH], are resource tables.
  private static final double MAX_LITERALS = 0.5;

  private static final int TABLE_LENGTH = 2000;

  private final CorpusRecipe recipe;

  JdkArchiveReader(CorpusRecipe recipe) {
    this.recipe = recipe;
  }

  private record Wanted(Source source, Globs globs) {}

  private record Entry(String path, byte[] bytes, JavaSource java, String licence) {}

  void read(InputUnit unit, ReadSink sink) throws IOException {
    List<Wanted> wanted = new ArrayList<>();
    for (String name : unit.sources()) {
      Source source = recipe.source(name).orElseThrow();
      wanted.add(new Wanted(source, Globs.of(source)));
    }
    try (ZipFile zip = new ZipFile(unit.file())) {
      for (String path : unit.entries()) {
        List<Source> sources =
            wanted.stream().filter(w -> w.globs().accept(path)).map(Wanted::source).toList();
        try {
          file(zip, path, sources, sink);
        } catch (IOException e) {
          sources.forEach(
              source ->
                  sink.skipped(source.name(), "unreadable-file", path + ": " + e.getMessage()));
        }
      }
    }
  }

  private void file(ZipFile zip, String path, List<Source> sources, ReadSink sink)
      throws IOException {
    ZipEntry zipEntry = zip.getEntry(path);
    if (zipEntry == null) {
      throw new IOException("no such entry");
    }
    byte[] bytes;
    try (InputStream in = zip.getInputStream(zipEntry)) {
      bytes = in.readNBytes(8 * recipe.maxDocumentBytes() + 1);
    }
    if (bytes.length > 8 * recipe.maxDocumentBytes() || Utf8.looksBinary(bytes)) {
      String reason = Utf8.looksBinary(bytes) ? "binary-file" : "too-long";
      sources.forEach(source -> sink.skipped(source.name(), reason, path));
      return;
    }
    Utf8.Decoded decoded = Utf8.decode(bytes);
    JavaSource java = JavaSource.parse(Utf8.normalize(decoded.text()));
    Licences.Finding licence = Licences.classify(java.header());
    Entry entry = new Entry(path, bytes, java, licence.expression());
    for (Source source : sources) {
      sink.file(source.name(), path, bytes.length, licence.expression(), licence.evidence());
      sink.replaced(source.name(), path, decoded.replaced());
      switch (source.kind()) {
        case JDK_CODE -> code(source, entry, sink);
        case JDK_JAVADOC -> prose(source, entry, sink);
        case JDK_QUESTIONS -> questions(source, entry, sink);
        case FILES -> throw new IllegalArgumentException("not a source of a JDK");
      }
    }
  }

  private void code(Source source, Entry entry, ReadSink sink) {
    String code = entry.java().code();
    if (entry.path().endsWith("package-info.java")) {
      sink.skipped(source.name(), "package-info", entry.path());
    } else if (code.length() > TABLE_LENGTH
        && entry.java().literalCharacters() > MAX_LITERALS * code.length()) {
      sink.skipped(source.name(), "mostly-literals", entry.path());
    } else {
      sink.draft(draft(source, "", Form.CODE, entry, code));
    }
  }

  private void prose(Source source, Entry entry, ReadSink sink) {
    StringBuilder text = new StringBuilder();
    for (JavaSource.Comment comment : entry.java().comments()) {
      String plain = comment.text().text();
      if (!plain.isEmpty()) {
        text.append(text.isEmpty() ? "" : "\n\n");
        if (!comment.declaration().isEmpty()) {
          text.append(comment.declaration()).append('\n');
        }
        text.append(plain);
      }
    }
    if (text.isEmpty()) {
      sink.skipped(source.name(), "no-javadoc", entry.path());
    } else {
      sink.draft(draft(source, "", Form.PROSE, entry, text.append('\n').toString()));
    }
  }

  private void questions(Source source, Entry entry, ReadSink sink) {
    int number = 0;
    for (JavadocQuestion question : JavadocQuestion.of(entry.java())) {
      String suffix = "#%04d".formatted(number++);
      sink.draft(draft(source, suffix, Form.QUESTION, entry, question.text()));
    }
    if (number == 0) {
      sink.skipped(source.name(), "no-question", entry.path());
    }
  }

  private static Draft draft(Source source, String suffix, Form form, Entry entry, String text) {
    return new Draft(
        source.name() + ":" + entry.path() + suffix,
        source.name(),
        form,
        DocumentOrder.splitKey(entry.path(), entry.bytes()),
        entry.licence(),
        text);
  }
}
