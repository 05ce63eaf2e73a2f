package moxin.infer.schedule;

/// Where the last `length` tokens of a growing text stood before. Constant time for each token,
/// about two ints of memory.
///
/// A slot of the table holds where the latest sequence of its hash ended; whether that sequence is
/// the wanted one is looked up in the text.
final class NgramIndex {
  private static final int FIRST_SLOTS = 64;

  private final TokenList text;
  private final int length;
  private int[] ends = new int[FIRST_SLOTS];
  private int indexed;

  NgramIndex(TokenList text, int length) {
    this.text = text;
    this.length = length;
  }

  /// The latest end before the text's own at which its last tokens stand too, 0 if there is none;
  /// the token at that index is what followed.
  int find() {
    index(text.size() - 1);
    int size = text.size();
    if (size <= length) {
      return 0;
    }
    int end = ends[slot(size)];
    return end > 0 && matching(text, end, length) == length ? end : 0;
  }

  /// How many tokens before `end` are those before the end of the text, at most `limit`.
  static int matching(TokenList text, int end, int limit) {
    int size = text.size();
    int count = 0;
    while (count < limit
        && count < end
        && text.get(end - 1 - count) == text.get(size - 1 - count)) {
      count++;
    }
    return count;
  }

  private void index(int until) {
    if (2L * until > ends.length) {
      ends = new int[Integer.highestOneBit(until) * 4];
      indexed = 0;
    }
    for (int end = Math.max(length, indexed + 1); end <= until; end++) {
      ends[slot(end)] = end;
    }
    indexed = Math.max(indexed, until);
  }

  private int slot(int end) {
    long hash = 0;
    for (int i = end - length; i < end; i++) {
      hash = (hash ^ text.get(i)) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 29;
    }
    return (int) (hash >>> 7) & (ends.length - 1);
  }
}
