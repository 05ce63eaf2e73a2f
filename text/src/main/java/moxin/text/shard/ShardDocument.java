package moxin.text.shard;

/// One document of a token shard.
///
/// @param id the document's identity in the corpus
/// @param source where it came from, such as a file or a data set's name
/// @param offset the position of its first token in the shard
/// @param length its number of tokens
/// @param hash the hash of its text, empty where unknown
public record ShardDocument(String id, String source, long offset, long length, String hash) {

  public ShardDocument {
    if (offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
      throw new IllegalArgumentException("offset " + offset + " and length " + length);
    }
  }

  /// The position after its last token.
  public long end() {
    return offset + length;
  }
}
