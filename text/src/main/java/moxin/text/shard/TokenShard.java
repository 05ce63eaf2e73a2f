package moxin.text.shard;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.RandomAccess;

/// A memory-mapped array of token ids with the documents in it. Immutable and thread-safe until it
/// is closed; whoever opens it closes it.
///
/// Reads what [TokenShardWriter] writes, and foreign `.npy` files too: one- or two-dimensional, of
/// type `|u1`, `<u2`, `<u4`, `<i4` or `<i8`. Without an index each row is a document, and a
/// one-dimensional array is one document.
public final class TokenShard implements AutoCloseable {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final Arena arena;
  private final MemorySegment data;
  private final NpyHeader header;
  private final List<ShardDocument> documents;
  private final OptionalInt vocabSize;
  private final String tokenizerSha256;
  private final long limit;

  private TokenShard(
      Path file,
      Arena arena,
      MemorySegment data,
      NpyHeader header,
      List<ShardDocument> documents,
      OptionalInt vocabSize,
      String tokenizerSha256) {
    this.file = file;
    this.arena = arena;
    this.data = data;
    this.header = header;
    this.documents = documents;
    this.vocabSize = vocabSize;
    this.tokenizerSha256 = tokenizerSha256;
    this.limit = vocabSize.orElse(Integer.MAX_VALUE);
  }

  /// Opens the array `npy` and the index beside it, where there is one.
  ///
  /// @throws TokenShardFormatException if either is not what it should be
  @SuppressWarnings("MustBeClosedChecker") // the shard owns the arena and closes it
  public static TokenShard open(Path npy) throws IOException {
    Path index = indexOf(npy);
    try (FileChannel channel = FileChannel.open(npy)) {
      NpyHeader header = header(npy, channel);
      List<ShardDocument> documents = rows(npy.getFileName().toString(), header);
      OptionalInt vocabSize = OptionalInt.empty();
      String tokenizerSha256 = "";
      if (Files.isRegularFile(index)) {
        ShardIndex read = ShardIndex.read(index);
        requireEqual(index, "tokens", read.tokens(), header.size());
        requireEqual(index, "dtype", read.dtype(), header.type().descr());
        documents = Collections.unmodifiableList(read.documents());
        vocabSize = OptionalInt.of(read.vocabSize());
        tokenizerSha256 = read.tokenizerSha256();
      }
      Arena arena = Arena.ofShared();
      try {
        long byteSize = header.size() * header.type().byteSize();
        MemorySegment data =
            channel.map(FileChannel.MapMode.READ_ONLY, header.dataOffset(), byteSize, arena);
        return new TokenShard(npy, arena, data, header, documents, vocabSize, tokenizerSha256);
      } catch (IOException | RuntimeException e) {
        arena.close();
        throw e;
      }
    }
  }

  /// The path of the index of `npy`: the same name ending in `.json`.
  public static Path indexOf(Path npy) {
    String name = npy.getFileName().toString();
    if (!name.endsWith(".npy")) {
      throw new TokenShardFormatException(npy + ": the name of a token shard ends in .npy");
    }
    return npy.resolveSibling(name.substring(0, name.length() - 4) + ".json");
  }

  /// The file that holds the tokens.
  public Path file() {
    return file;
  }

  /// The number of tokens.
  public long size() {
    return header.size();
  }

  /// The documents in the order of their offsets; they do not overlap. For a file without index the
  /// list is computed, not stored.
  public List<ShardDocument> documents() {
    return documents;
  }

  /// The size of the vocabulary, where an index states it.
  public OptionalInt vocabSize() {
    return vocabSize;
  }

  /// The SHA-256 of the tokenizer's file, empty where no index states it.
  public String tokenizerSha256() {
    return tokenizerSha256;
  }

  /// The token at `position`.
  ///
  /// @throws TokenShardFormatException if the file has no id of the vocabulary there
  public int token(long position) {
    Objects.checkIndex(position, size());
    return checked(
        switch (header.type()) {
          case U1 -> data.get(ValueLayout.JAVA_BYTE, position) & 0xffL;
          case U2 -> data.get(SHORT, position * 2) & 0xffffL;
          case U4 -> data.get(INT, position * 4) & 0xffffffffL;
          case I4 -> data.get(INT, position * 4);
          case I8 -> data.get(LONG, position * 8);
        },
        position);
  }

  /// Copies `length` tokens from position `from` on to `into[offset]` and after.
  ///
  /// @throws TokenShardFormatException if one of them is not an id of the vocabulary
  public void copy(long from, int[] into, int offset, int length) {
    Objects.checkFromIndexSize(from, length, size());
    Objects.checkFromIndexSize(offset, length, into.length);
    if (header.type() == NpyHeader.TokenType.U2) {
      for (int i = 0; i < length; i++) {
        int token = data.get(SHORT, (from + i) * 2) & 0xffff;
        into[offset + i] = token < limit ? token : checked(token, from + i);
      }
    } else {
      for (int i = 0; i < length; i++) {
        into[offset + i] = token(from + i);
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }

  private int checked(long token, long position) {
    if (token < 0 || token >= limit) {
      throw new TokenShardFormatException(
          file + ": token " + position + " is " + token + ", expected an id in [0, " + limit + ")");
    }
    return (int) token;
  }

  private static NpyHeader header(Path npy, FileChannel channel) throws IOException {
    String name = npy.toString();
    ByteBuffer start = read(channel, 12);
    int headerBytes = NpyHeader.byteSize(name, start);
    ByteBuffer whole = read(channel, headerBytes);
    if (whole.remaining() < headerBytes) {
      throw new TokenShardFormatException(
          name + ": ends inside the header, which has " + headerBytes + " bytes");
    }
    return NpyHeader.parse(name, whole, channel.size());
  }

  private static ByteBuffer read(FileChannel channel, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    int n = 0;
    while (buffer.hasRemaining() && n >= 0) {
      n = channel.read(buffer, buffer.position());
    }
    return buffer.flip();
  }

  private static void requireEqual(Path index, String what, Object found, Object expected) {
    if (!found.equals(expected)) {
      throw new TokenShardFormatException(
          index + ": " + what + " is " + found + ", but the array has " + expected);
    }
  }

  private static List<ShardDocument> rows(String name, NpyHeader header) {
    return new Rows(name, header);
  }

  private static final class Rows extends AbstractList<ShardDocument> implements RandomAccess {
    private final String name;
    private final NpyHeader header;

    Rows(String name, NpyHeader header) {
      this.name = name;
      this.header = header;
    }

    @Override
    public ShardDocument get(int row) {
      Objects.checkIndex(row, size());
      long length = header.columns();
      return new ShardDocument(name + "#" + row, name, row * length, length, "");
    }

    @Override
    public int size() {
      return (int) header.rows();
    }
  }
}
