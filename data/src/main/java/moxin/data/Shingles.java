package moxin.data;

import java.util.Arrays;

/// The set of character n-grams of a text, each as a 64-bit hash, by SlimPajama's definition: the
/// text in lower case, without ASCII punctuation, runs of white space as one space, stripped; then
/// every run of `n` characters. (Its code calls them "13-grams"; they are characters, not words.)
public final class Shingles {
  private static final long BASE = 0x9E3779B97F4A7C15L;

  private Shingles() {}

  /// The characters that n-grams are taken from.
  public static char[] comparable(String text) {
    char[] out = new char[text.length()];
    int length = 0;
    boolean space = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c <= ' ' || Character.isWhitespace(c)) {
        space = true;
      } else if (!Filters.isPunctuation(c)) {
        if (space && length > 0) {
          out[length++] = ' ';
        }
        space = false;
        out[length++] = c < 0x80 ? (c >= 'A' && c <= 'Z' ? (char) (c + 32) : c) : lower(c);
      }
    }
    return Arrays.copyOf(out, length);
  }

  /// The hash of every n-gram of `characters` in order, repeated ones included. A text shorter than
  /// `n` is one n-gram; an empty one has none.
  public static long[] hashes(char[] characters, int n) {
    if (characters.length == 0) {
      return new long[0];
    }
    int width = Math.min(n, characters.length);
    long outgoing = 1;
    long hash = 0;
    for (int i = 0; i < width; i++) {
      hash = hash * BASE + characters[i] + 1;
      outgoing *= BASE;
    }
    long[] hashes = new long[characters.length - width + 1];
    hashes[0] = mix(hash);
    for (int i = width; i < characters.length; i++) {
      hash = hash * BASE + characters[i] + 1 - outgoing * (characters[i - width] + 1);
      hashes[i - width + 1] = mix(hash);
    }
    return hashes;
  }

  /// The n-grams of `text` as a set: sorted, each once.
  public static long[] set(String text, int n) {
    long[] hashes = hashes(comparable(text), n);
    Arrays.sort(hashes);
    int unique = 0;
    for (int i = 0; i < hashes.length; i++) {
      if (i == 0 || hashes[i] != hashes[i - 1]) {
        hashes[unique++] = hashes[i];
      }
    }
    return Arrays.copyOf(hashes, unique);
  }

  /// |a ∩ b| / |a ∪ b| of two sorted sets; 1 when both are empty.
  public static double jaccard(long[] a, long[] b) {
    int common = 0;
    for (int i = 0, j = 0; i < a.length && j < b.length; ) {
      if (a[i] == b[j]) {
        common++;
        i++;
        j++;
      } else if (a[i] < b[j]) {
        i++;
      } else {
        j++;
      }
    }
    int union = a.length + b.length - common;
    return union == 0 ? 1 : (double) common / union;
  }

  private static char lower(char c) {
    return Character.toLowerCase(c);
  }

  /// The finaliser of MurmurHash3.
  static long mix(long hash) {
    long h = hash;
    h = (h ^ (h >>> 33)) * 0xFF51AFD7ED558CCDL;
    h = (h ^ (h >>> 33)) * 0xC4CEB9FE1A85EC53L;
    return h ^ (h >>> 33);
  }
}
