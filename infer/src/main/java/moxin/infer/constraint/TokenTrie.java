package moxin.infer.constraint;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// All tokens by their bytes, as a trie laid out in preorder: a walk is one loop, and leaving out a
/// subtree is one jump. Immutable.
final class TokenTrie {
  /// The tokens' ids in ascending order of their bytes.
  private final int[] ids;

  private final byte[][] bytes;

  private final byte[] nodeByte;
  private final short[] nodeDepth;
  private final int[] nodeSkip;
  private final int[] nodeFirst;
  private final int[] nodeEnd;
  private final int maxDepth;

  private TokenTrie(List<Token> tokens) {
    ids = tokens.stream().mapToInt(Token::id).toArray();
    bytes = tokens.stream().map(Token::bytes).toArray(byte[][]::new);
    int size = 0;
    int deepest = 0;
    for (int i = 0; i < ids.length; i++) {
      size += bytes[i].length - common(i);
      deepest = Math.max(deepest, bytes[i].length);
    }
    maxDepth = deepest;
    nodeByte = new byte[size];
    nodeDepth = new short[size];
    nodeSkip = new int[size];
    nodeFirst = new int[size];
    nodeEnd = new int[size];
    build();
  }

  /// A token with the bytes that it adds to a text.
  record Token(int id, byte[] bytes) {}

  /// @param tokens with at least one byte each
  static TokenTrie of(List<Token> tokens) {
    return new TokenTrie(
        tokens.stream()
            .filter(token -> token.bytes().length > 0 && token.bytes().length <= Short.MAX_VALUE)
            .sorted(
                Comparator.comparing(Token::bytes, Arrays::compareUnsigned)
                    .thenComparingInt(Token::id))
            .toList());
  }

  private void build() {
    int[] open = new int[maxDepth + 1];
    int node = 0;
    int depth = 0;
    for (int i = 0; i < ids.length; i++) {
      int common = common(i);
      for (; depth > common; depth--) {
        nodeSkip[open[depth]] = node;
      }
      for (; depth < bytes[i].length; node++) {
        nodeByte[node] = bytes[i][depth++];
        nodeDepth[node] = (short) depth;
        nodeFirst[node] = i;
        nodeEnd[node] = i;
        open[depth] = node;
      }
      nodeEnd[node - 1] = i + 1;
    }
    for (; depth > 0; depth--) {
      nodeSkip[open[depth]] = node;
    }
  }

  /// How many first bytes token `i` has in common with the one before; all for the same bytes.
  int common(int i) {
    if (i == 0) {
      return 0;
    }
    int mismatch = Arrays.mismatch(bytes[i - 1], bytes[i]);
    return mismatch < 0 ? bytes[i].length : mismatch;
  }

  int nodeCount() {
    return nodeByte.length;
  }

  /// The byte that leads to `node`, in `[0, 256)`.
  int nodeByte(int node) {
    return nodeByte[node] & 0xFF;
  }

  /// The number of bytes up to and with `node`'s.
  int depth(int node) {
    return nodeDepth[node];
  }

  int maxDepth() {
    return maxDepth;
  }

  /// The first node behind the subtree of `node`.
  int skip(int node) {
    return nodeSkip[node];
  }

  /// The first of the tokens that end at `node`, in the order of bytes.
  int firstToken(int node) {
    return nodeFirst[node];
  }

  /// The first token behind those that end at `node`.
  int endToken(int node) {
    return nodeEnd[node];
  }

  /// The id of token `i` in the order of bytes.
  int id(int i) {
    return ids[i];
  }

  /// The bytes of token `i` in the order of bytes; not to be written.
  byte[] bytes(int i) {
    return bytes[i];
  }
}
