package moxin.text.sentencepiece;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import moxin.text.TokenizerFormatException;

/// A compiled character map: replacements of the longest matching prefix.
///
/// Format: a little-endian 32-bit size, a double-array trie of that many bytes (darts-clone) and
/// the replacements, each ended by a zero byte. Every index is checked.
final class CharsMap {
  private final String origin;
  private final int[] units;
  private final byte[] replacements;

  private CharsMap(String origin, int[] units, byte[] replacements) {
    this.origin = origin;
    this.units = units;
    this.replacements = replacements;
  }

  static CharsMap parse(String origin, byte[] blob) {
    ByteBuffer in = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN);
    if (blob.length < 8) {
      throw new TokenizerFormatException(origin + ": a character map of " + blob.length + " bytes");
    }
    int trieBytes = in.getInt();
    if (trieBytes < 4 || trieBytes % 4 != 0 || trieBytes > in.remaining()) {
      throw new TokenizerFormatException(
          origin
              + ": a character map whose trie has "
              + trieBytes
              + " of "
              + in.remaining()
              + " bytes");
    }
    int[] units = new int[trieBytes / 4];
    in.asIntBuffer().get(units);
    return new CharsMap(origin, units, Arrays.copyOfRange(blob, 4 + trieBytes, blob.length));
  }

  /// The longest prefix of `text[from, to)` that has a replacement, as its length in bytes in the
  /// upper and the replacement's offset in the lower half; -1 if there is none.
  long longestPrefix(byte[] text, int from, int to) {
    long best = -1;
    int node = offset(units[0]);
    for (int i = from; i < to; i++) {
      int label = text[i] & 0xff;
      node ^= label;
      if (node < 0 || node >= units.length) {
        return best;
      }
      int unit = units[node];
      if ((unit & 0x800000ff) != label) {
        return best;
      }
      node ^= offset(unit);
      if (((unit >>> 8) & 1) == 1 && node >= 0 && node < units.length) {
        best = ((long) (i + 1 - from) << 32) | (units[node] & 0x7fffffffL);
      }
    }
    return best;
  }

  /// The replacement that begins at `offset`.
  String replacement(int offset) {
    if (offset >= replacements.length) {
      throw new TokenizerFormatException(
          origin
              + ": a character map with a replacement at "
              + offset
              + " of "
              + replacements.length);
    }
    int end = offset;
    while (end < replacements.length && replacements[end] != 0) {
      end++;
    }
    return new String(replacements, offset, end - offset, StandardCharsets.UTF_8);
  }

  private static int offset(int unit) {
    return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
  }
}
