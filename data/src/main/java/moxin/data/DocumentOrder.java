package moxin.data;

import java.nio.charset.StandardCharsets;
import moxin.job.ContentHash;

/// Places given by hash: the same for a document whatever else is in the corpus, and as good as
/// random.
public final class DocumentOrder {

  private DocumentOrder() {}

  /// The place of `id` in the order of the corpus, as an unsigned 64-bit number.
  public static long place(String id, long seed) {
    return hash("order", id, seed);
  }

  /// The place of a file's documents in `[0, 1)`; those below the validation fraction are held out.
  public static double splitPlace(String splitKey, long seed) {
    return (hash("split", splitKey, seed) >>> 11) * 0x1p-53;
  }

  /// Hash of the path and content of a file: the split key of everything made from it.
  public static String splitKey(String path, byte[] content) {
    var digest = ContentHash.digest();
    digest.update(path.getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
    digest.update(content);
    return ContentHash.hex(digest.digest()).substring(0, 32);
  }

  private static long hash(String purpose, String key, long seed) {
    var digest = ContentHash.digest();
    digest.update((purpose + '\0' + seed + '\0' + key).getBytes(StandardCharsets.UTF_8));
    byte[] bytes = digest.digest();
    long value = 0;
    for (int i = 0; i < Long.BYTES; i++) {
      value = value << 8 | (bytes[i] & 0xFF);
    }
    return value;
  }
}
