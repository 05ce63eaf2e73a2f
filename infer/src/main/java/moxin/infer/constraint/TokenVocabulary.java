package moxin.infer.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.OptionalInt;
import moxin.infer.constraint.TokenTrie.Token;
import moxin.text.Tokenizer;

/// The tokens of a tokenizer as bytes, arranged for constraints. Immutable and thread-safe; one
/// serves any number of constraints.
public final class TokenVocabulary {
  private final int size;
  private final int[] endIds;
  private final byte[][] bytes;
  private final byte[][] firstBytes;
  private final TokenTrie trie;
  private final TokenTrie firstTrie;

  /// A token that loses its space in front of a whole text, where there is one.
  private final OptionalInt probe;

  private TokenVocabulary(Tokenizer tokenizer, Collection<Integer> endIds) {
    this.size = tokenizer.vocabSize();
    this.endIds = endIds.stream().mapToInt(id -> id).sorted().distinct().toArray();
    for (int id : this.endIds) {
      if (id < 0 || id >= size) {
        throw new IllegalArgumentException("end id " + id + " is not in [0, " + size + ")");
      }
    }
    bytes = new byte[size][];
    firstBytes = new byte[size][];
    OptionalInt stripped = OptionalInt.empty();
    for (int id = 0; id < size; id++) {
      bytes[id] = isEnd(id) ? new byte[0] : tokenizer.bytes(id);
      int lost = lostSpaces(tokenizer, id);
      firstBytes[id] =
          lost == 0 ? bytes[id] : Arrays.copyOfRange(bytes[id], lost, bytes[id].length);
      if (lost > 0) {
        stripped = OptionalInt.of(id);
      }
    }
    probe = stripped;
    trie = trie(bytes);
    firstTrie = probe.isPresent() ? trie(firstBytes) : trie;
  }

  /// The vocabulary of `tokenizer`.
  ///
  /// @param endIds tokens that end a text; they are allowed exactly where a constraint is complete
  public static TokenVocabulary of(Tokenizer tokenizer, Collection<Integer> endIds) {
    return new TokenVocabulary(tokenizer, endIds);
  }

  private static TokenTrie trie(byte[][] bytes) {
    List<Token> tokens = new ArrayList<>();
    for (int id = 0; id < bytes.length; id++) {
      tokens.add(new Token(id, bytes[id]));
    }
    return TokenTrie.of(tokens);
  }

  /// How many spaces decoding leaves out where `id` begins a text.
  private int lostSpaces(Tokenizer tokenizer, int id) {
    if (bytes[id].length == 0 || bytes[id][0] != ' ') {
      return 0;
    }
    int spaces = 0;
    while (spaces < bytes[id].length && bytes[id][spaces] == ' ') {
      spaces++;
    }
    String text = tokenizer.decode(id);
    int kept = 0;
    while (kept < text.length() && text.charAt(kept) == ' ') {
      kept++;
    }
    return Math.max(0, spaces - kept);
  }

  /// Whether what follows `promptIds` begins a text, so that a space in front of it is left out.
  public boolean beginsText(Tokenizer tokenizer, int[] promptIds) {
    if (probe.isEmpty() || !tokenizer.decode(promptIds).isEmpty()) {
      return false;
    }
    int[] extended = Arrays.copyOf(promptIds, promptIds.length + 1);
    extended[promptIds.length] = probe.getAsInt();
    return tokenizer.decode(extended).equals(tokenizer.decode(probe.getAsInt()));
  }

  /// The number of ids.
  public int size() {
    return size;
  }

  /// How many 64-bit words a mask has.
  public int maskWords() {
    return (size + Long.SIZE - 1) / Long.SIZE;
  }

  boolean isEnd(int id) {
    return Arrays.binarySearch(endIds, id) >= 0;
  }

  int[] endIds() {
    return endIds;
  }

  /// The tokens inside a text, or as they begin one.
  TokenTrie trie(Place place) {
    return place == Place.START ? firstTrie : trie;
  }

  /// What token `id` adds to a text; not to be written.
  byte[] bytes(int id, Place place) {
    return place == Place.START ? firstBytes[id] : bytes[id];
  }

  /// Where a token stands.
  enum Place {
    START,
    INSIDE
  }
}
