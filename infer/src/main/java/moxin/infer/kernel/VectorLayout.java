package moxin.infer.kernel;

/// Where the Vector API tier keeps weights and inputs; all sizes in bytes.
///
/// **Weights.** A tile of 32 rows interleaves its rows. F32: 32 floats for each k. All else is made
/// of 64-byte *lines* of 32 shorts, in which row i is short 2i and row i + 16 is short 2i + 1 (0 ≤
/// i < 16), so that the lower and the upper halves of a line's ints are neighbouring rows:
///
/// - BF16: a line for each k.
/// - Q8_0, per 32 k: a line of f16 scales, 16 lines of bytes (k even low, k odd high).
/// - Q4_0, per 32 k: a line of f16 scales, 8 lines of nibbles (k ascending from the lowest).
/// - Q4_K, per 256 k: lines of f16 d and dmin, then per 32 k: a line of 6-bit scale (low byte) and
///   minimum, 8 lines of nibbles.
/// - Q5_K: as Q4_K, and after the nibbles 2 lines of fifth bits (k ascending from bit 0).
/// - Q6_K, per 256 k: a line of f16 d, then per 32 k: a line of 2 scale bytes, 8 lines of lower
///   nibbles, 4 lines of upper bit pairs (k ascending from the lowest).
///
/// **Inputs.** Up to [#DIRECT] tokens: each by itself, n = 1. More: groups of [#GROUP] neighbouring
/// tokens, n = 12, the last group filled up with what is never read. F32: n floats for each k.
/// INT8: three arrays over all tokens: n shorts for each k; n fp32 scales for each block of 32; n
/// sums of bytes, as shorts, for each 8 of k. Strides along K are constants, without which the
/// compiler checks the bounds of every access.
///
/// INT8 of up to [#DIRECT] tokens has two more arrays, both of pairs of equal shorts: *factors*,
/// one for each k, and *starts*, −8 · the sum of bytes for each block of 32. Factors meet nibbles
/// that are shifted down but not masked, so that a short `v` of nibbles a to d, a lowest, has `v ·
/// x0 + (v >> 4) · (x1 − 16 x0) + (v >> 8) · (x2 − 16 x1) + (v >> 12) · (x3 − 16 x2)`, which is `a
/// x0 + b x1 + c x2 + d x3` modulo 2^16: the factors of every four columns are those in brackets.
final class VectorLayout {

  /// Tokens of a group of inputs: as many as the largest fp32 kernel takes.
  static final int GROUP = 12;

  /// Up to how many tokens meet packed weights directly, one by one; unpacking pays off for more.
  static final int DIRECT = 4;

  /// Elements of a block of quantised activations.
  static final int BLOCK = 32;

  /// Bytes of 32 interleaved shorts.
  static final int LINE = 64;

  private VectorLayout() {}

  /// Elements along K of a unit of packed weights.
  static int unitElements(WeightFormat format) {
    return format.blockElements();
  }

  /// Bytes of a unit of a tile of packed weights.
  static int unitBytes(WeightFormat format) {
    return switch (format) {
      case F32 -> 2 * LINE;
      case BF16 -> LINE;
      default -> headerBytes(format) + unitElements(format) / BLOCK * blockBytes(format);
    };
  }

  /// Bytes of a unit before its blocks.
  static int headerBytes(WeightFormat format) {
    return switch (format) {
      case F32, BF16, Q8_0, Q4_0 -> 0;
      case Q6_K -> LINE;
      case Q4_K, Q5_K -> 2 * LINE;
    };
  }

  /// Bytes of 32 elements along K of a tile of quantised weights.
  static int blockBytes(WeightFormat format) {
    return switch (format) {
      case F32, BF16 -> throw new IllegalArgumentException(format + " has no blocks");
      case Q8_0 -> 17 * LINE;
      case Q4_0, Q4_K -> 9 * LINE;
      case Q5_K -> 11 * LINE;
      case Q6_K -> 13 * LINE;
    };
  }

  /// Bytes of a tile of packed weights.
  static long tileBytes(WeightFormat format, int columns) {
    return (long) columns / unitElements(format) * unitBytes(format);
  }

  /// Distance along K of one token's numbers among those of `tokens` tokens.
  static int stride(int tokens) {
    return tokens <= DIRECT ? 1 : GROUP;
  }

  /// Where the numbers of `token`, `each` of them, begin among those of `tokens` tokens.
  static long start(int tokens, int token, int each) {
    return tokens <= DIRECT
        ? (long) token * each
        : (long) (token - token % GROUP) * each + token % GROUP;
  }

  /// Tokens with those that fill the last group.
  static long padded(int tokens) {
    return tokens <= DIRECT ? tokens : (tokens + GROUP - 1L) / GROUP * GROUP;
  }

  /// Where the quantised activations' scales begin.
  static long scalesAt(int tokens, int columns) {
    return 2 * padded(tokens) * columns;
  }

  /// Where the quantised activations' sums begin.
  static long sumsAt(int tokens, int columns) {
    return scalesAt(tokens, columns) + 4 * padded(tokens) * (columns / BLOCK);
  }

  /// Where the factors of quantised activations begin.
  static long factorsAt(int tokens, int columns) {
    return sumsAt(tokens, columns) + 8 * padded(tokens) * (columns / BLOCK);
  }

  /// Where the starts of quantised activations begin.
  static long startsAt(int tokens, int columns) {
    return factorsAt(tokens, columns) + 4L * tokens * columns;
  }

  /// Bytes of quantised activations.
  static long quantisedBytes(int tokens, int columns) {
    return tokens <= DIRECT
        ? startsAt(tokens, columns) + 4L * tokens * (columns / BLOCK)
        : factorsAt(tokens, columns);
  }
}
