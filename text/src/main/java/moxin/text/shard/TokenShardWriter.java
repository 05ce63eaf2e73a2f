package moxin.text.shard;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import moxin.job.AtomicOutput;

/// Writes a token shard, document by document, in constant memory: `NAME.npy`, a one-dimensional
/// array of `<u2` (vocabularies up to 65536) or `<u4`, and its index `NAME.json`.
///
/// Nothing appears under either name before [#commit()]; closing without it leaves nothing.
/// Mutable; for one thread.
public final class TokenShardWriter implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;

  private final Path npy;
  private final int vocabSize;
  private final NpyHeader.TokenType type;
  private final AtomicOutput array;
  private final AtomicOutput index;
  private final JsonGenerator json;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private long tokens;
  private long documents;

  private TokenShardWriter(
      Path npy, int vocabSize, AtomicOutput array, AtomicOutput index, JsonGenerator json) {
    this.npy = npy;
    this.vocabSize = vocabSize;
    this.type = NpyHeader.TokenType.forVocabulary(vocabSize);
    this.array = array;
    this.index = index;
    this.json = json;
  }

  /// Begins the shard `npy`, whose name ends in `.npy`, for ids below `vocabSize`.
  ///
  /// @param tokenizerSha256 the hash of the tokenizer's file, empty where there is none
  public static TokenShardWriter create(Path npy, int vocabSize, String tokenizerSha256)
      throws IOException {
    if (vocabSize < 1) {
      throw new IllegalArgumentException("vocabSize is " + vocabSize);
    }
    Path indexPath = TokenShard.indexOf(npy);
    AtomicOutput array = AtomicOutput.open(npy);
    try {
      AtomicOutput index = AtomicOutput.open(indexPath);
      try {
        JsonGenerator json =
            new JsonFactory().createGenerator(Channels.newOutputStream(index.channel()));
        TokenShardWriter writer = new TokenShardWriter(npy, vocabSize, array, index, json);
        writer.writeFully(NpyHeader.write(writer.type, 0));
        json.writeStartObject();
        json.writeNumberField("vocabSize", vocabSize);
        json.writeStringField("tokenizerSha256", tokenizerSha256);
        json.writeStringField("dtype", writer.type.descr());
        json.writeArrayFieldStart("documents");
        return writer;
      } catch (IOException | RuntimeException e) {
        index.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      array.close();
      throw e;
    }
  }

  /// Appends a document of `length` tokens from `ids[offset]` on.
  ///
  /// @param hash the hash of the document's text, empty where unknown
  public void add(String id, String source, String hash, int[] ids, int offset, int length)
      throws IOException {
    Objects.checkFromIndexSize(offset, length, ids.length);
    for (int i = offset; i < offset + length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabSize) {
        throw new IllegalArgumentException(
            "document %s: id %d is not in [0, %d)".formatted(id, ids[i], vocabSize));
      }
    }
    for (int i = offset; i < offset + length; i++) {
      if (buffer.remaining() < type.byteSize()) {
        flush();
      }
      if (type.byteSize() == 2) {
        buffer.putShort((short) ids[i]);
      } else {
        buffer.putInt(ids[i]);
      }
    }
    json.writeStartObject();
    json.writeStringField("id", id);
    json.writeStringField("source", source);
    json.writeNumberField("offset", tokens);
    json.writeNumberField("length", length);
    json.writeStringField("hash", hash);
    json.writeEndObject();
    json.writeRaw('\n');
    tokens += length;
    documents++;
  }

  /// Appends a document.
  public void add(String id, String source, String hash, int[] ids) throws IOException {
    add(id, source, hash, ids, 0, ids.length);
  }

  /// The number of tokens added so far.
  public long tokens() {
    return tokens;
  }

  /// The number of documents added so far.
  public long documents() {
    return documents;
  }

  /// Puts the array and then the index under their names.
  public void commit() throws IOException {
    flush();
    FileChannel channel = array.channel();
    channel.position(0);
    writeFully(NpyHeader.write(type, tokens));
    json.writeEndArray();
    json.writeNumberField("tokens", tokens);
    json.writeEndObject();
    json.writeRaw('\n');
    json.flush();
    // An old index must not be found beside the new array.
    Files.deleteIfExists(TokenShard.indexOf(npy));
    array.commit();
    index.commit();
  }

  /// Ends the writing; without a [#commit()] before, what was written is removed.
  @Override
  public void close() throws IOException {
    try (array;
        index) {
      buffer.clear();
    }
  }

  private void flush() throws IOException {
    writeFully(buffer.flip());
    buffer.clear();
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      array.channel().write(bytes);
    }
  }
}
