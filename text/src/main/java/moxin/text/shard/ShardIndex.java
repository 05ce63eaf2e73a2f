package moxin.text.shard;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The JSON index beside a token array.
///
/// @param tokens the number of tokens that the array must have
record ShardIndex(
    int vocabSize,
    String tokenizerSha256,
    String dtype,
    long tokens,
    List<ShardDocument> documents) {

  private static final long MAX_BYTES = 1L << 31;
  private static final int MAX_STRING = 1 << 16;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(8)
                  .maxStringLength(MAX_STRING)
                  .maxNameLength(64)
                  .build())
          .build();

  /// Reads the index in `file`.
  static ShardIndex read(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new TokenShardFormatException(file + ": an index has at most " + MAX_BYTES + " bytes");
    }
    try (InputStream in = Files.newInputStream(file);
        JsonParser parser = JSON.createParser(in)) {
      return new Reader(file, parser).index();
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new TokenShardFormatException(
          file + ": byte " + e.getLocation().getByteOffset() + ": " + e.getOriginalMessage(), e);
    }
  }

  private static final class Reader {
    private final Path file;
    private final JsonParser parser;

    Reader(Path file, JsonParser parser) {
      this.file = file;
      this.parser = parser;
    }

    ShardIndex index() throws IOException {
      long vocabSize = -1;
      String tokenizer = "";
      String dtype = "";
      long tokens = -1;
      List<ShardDocument> documents = new ArrayList<>();
      expect(parser.nextToken(), JsonToken.START_OBJECT, "an object");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "vocabSize" -> vocabSize = number(name);
          case "tokenizerSha256" -> tokenizer = string(name);
          case "dtype" -> dtype = string(name);
          case "tokens" -> tokens = number(name);
          case "documents" -> documents(documents);
          default -> parser.skipChildren();
        }
      }
      expect(parser.currentToken(), JsonToken.END_OBJECT, "the end of the index");
      if (parser.nextToken() != null) {
        throw bad("text after the end of the index");
      }
      if (vocabSize < 1 || vocabSize > Integer.MAX_VALUE) {
        throw bad("vocabSize is " + vocabSize);
      }
      if (tokens < 0) {
        throw bad("tokens is missing");
      }
      long end = documents.isEmpty() ? 0 : documents.getLast().end();
      if (end > tokens) {
        throw bad("documents end at token " + end + " of " + tokens);
      }
      return new ShardIndex((int) vocabSize, tokenizer, dtype, tokens, documents);
    }

    private void documents(List<ShardDocument> documents) throws IOException {
      expect(parser.currentToken(), JsonToken.START_ARRAY, "documents as an array");
      long end = 0;
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        ShardDocument document = document(documents.size());
        if (document.offset() < end) {
          throw bad("document " + documents.size() + " overlaps the one before");
        }
        end = document.end();
        documents.add(document);
      }
    }

    private ShardDocument document(int number) throws IOException {
      expect(parser.currentToken(), JsonToken.START_OBJECT, "a document");
      String id = "";
      String source = "";
      String hash = "";
      long offset = -1;
      long length = -1;
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "id" -> id = string(name);
          case "source" -> source = string(name);
          case "hash" -> hash = string(name);
          case "offset" -> offset = number(name);
          case "length" -> length = number(name);
          default -> parser.skipChildren();
        }
      }
      expect(parser.currentToken(), JsonToken.END_OBJECT, "the end of a document");
      if (offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
        throw bad("document " + number + " has offset " + offset + " and length " + length);
      }
      return new ShardDocument(id, source, offset, length, hash);
    }

    private long number(String name) throws IOException {
      expect(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, name + " as a whole number");
      long value = parser.getLongValue();
      if (value < 0) {
        throw bad(name + " is " + value);
      }
      return value;
    }

    private String string(String name) throws IOException {
      expect(parser.currentToken(), JsonToken.VALUE_STRING, name + " as a string");
      return parser.getText();
    }

    private void expect(
        @org.jspecify.annotations.Nullable JsonToken found, JsonToken wanted, String what) {
      if (found != wanted) {
        throw bad("found " + found + ", expected " + what);
      }
    }

    private TokenShardFormatException bad(String what) {
      return new TokenShardFormatException(
          file + ": byte " + parser.currentLocation().getByteOffset() + ": " + what);
    }
  }
}
