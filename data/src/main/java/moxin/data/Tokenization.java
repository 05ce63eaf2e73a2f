package moxin.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import moxin.job.AtomicDirectory;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.text.Tokenizer;
import moxin.text.shard.TokenShardWriter;
import org.jspecify.annotations.Nullable;

/// Turns the documents of a prepared corpus into token shards: `train/<source>/00000.npy` with its
/// index, and the same under `validation/`.
///
/// Each part of the corpus becomes one shard, its documents in the same, already shuffled, order;
/// each document is the beginning-of-sequence id, its ids, the end-of-sequence id, as far as the
/// vocabulary has them. Parts are independent and are tokenised in parallel.
public final class Tokenization {

  private Tokenization() {}

  /// What was written.
  ///
  /// @param tokens beginning and end included
  public record Summary(long documents, long tokens) {
    Summary plus(Summary other) {
      return new Summary(documents + other.documents, tokens + other.tokens);
    }
  }

  private record Part(Split split, String source, int number, Path path) {}

  /// Tokenises the corpus in `corpus` into `out`, which appears when it is complete.
  ///
  /// @param tokenizerSha256 the hash of the tokenizer's file
  /// @throws CorpusException if there is no corpus or it is damaged
  public static Summary run(
      Path corpus, Tokenizer tokenizer, String tokenizerSha256, Path out, Progress progress)
      throws IOException {
    List<Part> parts = parts(corpus);
    long bytes = 0;
    for (Part part : parts) {
      bytes += java.nio.file.Files.size(part.path());
    }
    Summary total = new Summary(0, 0);
    try (AtomicDirectory directory = AtomicDirectory.open(out);
        Progress.Task task = progress.start("Tokenise", bytes, "bytes");
        ExecutorService threads =
            Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      List<Future<Summary>> results = new ArrayList<>();
      for (Part part : parts) {
        results.add(
            threads.submit(
                () -> {
                  Summary summary = tokenize(part, tokenizer, tokenizerSha256, directory.path());
                  task.advance(java.nio.file.Files.size(part.path()));
                  return summary;
                }));
      }
      try {
        for (Future<Summary> result : results) {
          total = total.plus(result.get());
        }
      } catch (ExecutionException e) {
        threads.shutdownNow();
        throw failure(e.getCause());
      } catch (InterruptedException e) {
        threads.shutdownNow();
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while tokenising", e);
      }
      Manifest.write(
          directory.path(),
          "tokens",
          null,
          List.of(
              Manifest.Entry.of("documents", corpus.resolve(Documents.FOLDER)),
              new Manifest.Entry("tokenizer", tokenizerSha256, 0)));
      directory.commit();
    }
    return total;
  }

  private static List<Part> parts(Path corpus) throws IOException {
    List<Part> parts = new ArrayList<>();
    for (Split split : Split.values()) {
      for (String source : Documents.sources(corpus, split)) {
        int number = 0;
        for (Path path : Documents.parts(corpus, split, source)) {
          parts.add(new Part(split, source, number++, path));
        }
      }
    }
    return parts;
  }

  private static Summary tokenize(Part part, Tokenizer tokenizer, String sha256, Path out)
      throws IOException {
    Path folder = out.resolve(part.split().folder());
    Path npy = folder.resolve(part.source()).resolve("%05d.npy".formatted(part.number()));
    try (TokenShardWriter writer = TokenShardWriter.create(npy, tokenizer.vocabSize(), sha256);
        Stream<Document> documents = Documents.readPart(part.path())) {
      for (Document document : (Iterable<Document>) documents::iterator) {
        writer.add(document.id(), document.source(), document.hash(), ids(tokenizer, document));
      }
      writer.commit();
      return new Summary(writer.documents(), writer.tokens());
    }
  }

  private static int[] ids(Tokenizer tokenizer, Document document) {
    int[] text = tokenizer.encode(document.text());
    int begin = tokenizer.beginOfSequence().isPresent() ? 1 : 0;
    int end = tokenizer.endOfSequence().isPresent() ? 1 : 0;
    int[] ids = new int[begin + text.length + end];
    tokenizer.beginOfSequence().ifPresent(id -> ids[0] = id);
    System.arraycopy(text, 0, ids, begin, text.length);
    tokenizer.endOfSequence().ifPresent(id -> ids[ids.length - 1] = id);
    return ids;
  }

  private static IOException failure(@Nullable Throwable cause) {
    return switch (cause) {
      case null -> new IOException("tokenising failed");
      case IOException e -> e;
      case CorpusException e -> throw e;
      case UncheckedIOException e -> new IOException(e.getMessage(), e);
      default -> new IOException("tokenising failed: " + cause, cause);
    };
  }
}
