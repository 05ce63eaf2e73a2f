package moxin.train.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import moxin.job.BadInputException;
import moxin.text.shard.ShardDocument;
import moxin.text.shard.TokenShard;

/// The token shards of one source, end to end as one array with its documents. Thread-safe; the
/// source owns the mappings.
public final class TokenSource implements AutoCloseable {
  private final String label;
  private final List<TokenShard> shards;
  private final long[] bases;
  private final long[] offsets;
  private final long[] lengths;
  private final int vocabSize;

  private TokenSource(String label, List<TokenShard> shards, int vocabSize) {
    this.label = label;
    this.shards = shards;
    this.vocabSize = vocabSize;
    this.bases = new long[shards.size() + 1];
    LongStream.Builder starts = LongStream.builder();
    LongStream.Builder sizes = LongStream.builder();
    for (int i = 0; i < shards.size(); i++) {
      for (ShardDocument document : shards.get(i).documents()) {
        if (document.length() > 0) {
          starts.add(bases[i] + document.offset());
          sizes.add(document.length());
        }
      }
      bases[i + 1] = bases[i] + shards.get(i).size();
    }
    this.offsets = starts.build().toArray();
    this.lengths = sizes.build().toArray();
  }

  /// Opens a shard, or all shards of a directory in the order of their names.
  ///
  /// @param label names the source in messages
  /// @param vocabSize ids at or above it are refused
  /// @throws BadInputException if there is none, it is empty, or its vocabulary is larger
  public static TokenSource open(String label, Path path, int vocabSize) throws IOException {
    List<TokenShard> shards = new ArrayList<>();
    try {
      for (Path file : files(label, path)) {
        TokenShard shard = TokenShard.open(file);
        shards.add(shard);
        if (shard.vocabSize().orElse(0) > vocabSize) {
          throw new BadInputException(
              file
                  + ": made with a vocabulary of "
                  + shard.vocabSize().getAsInt()
                  + " ids, but the model has "
                  + vocabSize);
        }
      }
      TokenSource source = new TokenSource(label, shards, vocabSize);
      if (source.documentCount() == 0) {
        throw new BadInputException(path + ": source " + label + " has no tokens");
      }
      return source;
    } catch (IOException | RuntimeException e) {
      shards.forEach(TokenShard::close);
      throw e;
    }
  }

  /// The shard files that `path` stands for.
  ///
  /// @throws BadInputException if there is none
  public static List<Path> files(String label, Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return List.of(path);
    }
    List<Path> found = List.of();
    if (Files.isDirectory(path)) {
      try (Stream<Path> files = Files.list(path)) {
        found =
            files.filter(file -> file.getFileName().toString().endsWith(".npy")).sorted().toList();
      }
    }
    if (found.isEmpty()) {
      throw new BadInputException(path + ": no token shards (.npy) for source " + label);
    }
    return found;
  }

  /// The number of tokens.
  public long size() {
    return bases[shards.size()];
  }

  /// The number of documents that are not empty.
  public long documentCount() {
    return offsets.length;
  }

  /// The number of tokens of document `index`.
  public long documentLength(long index) {
    return lengths[Math.toIntExact(index)];
  }

  /// The position of the first token of document `index`.
  public long documentOffset(long index) {
    return offsets[Math.toIntExact(index)];
  }

  /// How messages call it.
  public String label() {
    return label;
  }

  /// Copies `length` ids from position `from` on.
  ///
  /// @throws BadInputException if one is outside the vocabulary
  public void copy(long from, int[] into, int offset, int length) {
    int shard = indexOfShard(from);
    int done = 0;
    while (done < length) {
      long position = from + done - bases[shard];
      int take = (int) Math.min(length - done, shards.get(shard).size() - position);
      shards.get(shard).copy(position, into, offset + done, take);
      done += take;
      shard++;
    }
    for (int i = offset; i < offset + length; i++) {
      if (into[i] >= vocabSize) {
        throw new BadInputException(
            "source "
                + label
                + ": token "
                + (from + i - offset)
                + " is "
                + into[i]
                + ", but the model has a vocabulary of "
                + vocabSize);
      }
    }
  }

  /// The last document that begins at or before `position`.
  long documentAt(long position) {
    return Search.last(offsets, offsets.length, position);
  }

  /// What the shards say about document `index`; its offset counts within [#shardOf].
  public ShardDocument document(long index) {
    long position = documentOffset(index);
    int shard = indexOfShard(position);
    List<ShardDocument> documents = shards.get(shard).documents();
    int low = 0;
    int high = documents.size() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (bases[shard] + documents.get(middle).offset() <= position) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return documents.get(low);
  }

  /// The file in which document `index` stands.
  public Path shardOf(long index) {
    return shards.get(indexOfShard(documentOffset(index))).file();
  }

  private int indexOfShard(long position) {
    return Search.last(bases, shards.size(), position);
  }

  @Override
  public void close() {
    shards.forEach(TokenShard::close);
  }
}
