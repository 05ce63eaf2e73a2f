package moxin.data;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// Reads the documents of a prepared corpus: `documents/<split>/<source>/part-*.jsonl.zst`.
///
/// Their order is by a hash of their identity, as good as shuffled and the same in every run.
public final class Documents {
  /// The folder of the documents in a corpus directory.
  public static final String FOLDER = "documents";

  private static final String SUFFIX = ".jsonl.zst";
  private static final ObjectReader READER =
      new JsonMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(1 << 30).build())
                  .build())
          .readerFor(Document.class);

  private Documents() {}

  /// The names of the sources on one side of the corpus in `corpus`, sorted.
  ///
  /// @throws CorpusException if there is no corpus
  public static List<String> sources(Path corpus, Split split) throws IOException {
    Path folder = folder(corpus).resolve(split.folder());
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> sources = Files.list(folder)) {
      return sources.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  /// The documents of one source in order, in bounded memory; none if the source has none there.
  /// Close the stream.
  ///
  /// @throws CorpusException if there is no corpus, or, while reading, if a part is damaged
  public static Stream<Document> read(Path corpus, Split split, String source) throws IOException {
    return parts(corpus, split, source).stream().flatMap(Documents::readPart);
  }

  /// The parts of one source in order.
  public static List<Path> parts(Path corpus, Split split, String source) throws IOException {
    Path folder = folder(corpus).resolve(split.folder()).resolve(source);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return new ArrayList<>(
          files.filter(path -> path.toString().endsWith(SUFFIX)).sorted().toList());
    }
  }

  /// The documents of one part. Close the stream.
  public static Stream<Document> readPart(Path part) {
    try {
      MappingIterator<Document> documents =
          READER.readValues(
              new BufferedInputStream(
                  new ZstdInputStreamNoFinalizer(Files.newInputStream(part)), 1 << 16));
      return StreamSupport.stream(new Part(part, documents), false)
          .onClose(
              () -> {
                try {
                  documents.close();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (IOException e) {
      throw damaged(part, 1, e);
    }
  }

  private static Path folder(Path corpus) {
    Path folder = corpus.resolve(FOLDER);
    if (!Files.isDirectory(folder)) {
      throw new CorpusException(corpus + " holds no prepared corpus: " + FOLDER + "/ is missing");
    }
    return folder;
  }

  private static CorpusException damaged(Path part, long document, IOException e) {
    String message =
        e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
    return new CorpusException(part + ": document " + document + " cannot be read: " + message, e);
  }

  private static final class Part extends Spliterators.AbstractSpliterator<Document> {
    private final Path path;
    private final MappingIterator<Document> documents;
    private long read;

    Part(Path path, MappingIterator<Document> documents) {
      super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
      this.path = path;
      this.documents = documents;
    }

    @Override
    public boolean tryAdvance(java.util.function.Consumer<? super Document> action) {
      try {
        if (!documents.hasNextValue()) {
          return false;
        }
        read++;
        action.accept(documents.nextValue());
        return true;
      } catch (IOException e) {
        throw damaged(path, read + 1, e);
      }
    }
  }
}
