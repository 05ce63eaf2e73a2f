package moxin.infer.assembly;

/// How AVX2 adds up products of four bytes in 32-bit lanes: of weights without a sign and signed
/// inputs from −127 to 127, without ever saturating.
enum ByteDots {
  /// By `vpdpbusd`.
  VNNI,
  /// By `vpmaddubsw`, whose 16-bit sums of two products saturate, and `vpmaddwd`. Weights of at
  /// most 63 are far from that; of those with eight bits the magnitude is multiplied, and the sign
  /// is given to the input: 128 · 127 · 2 is below 2¹⁵.
  MULTIPLY_ADD;

  private static final int LARGEST_INPUT = 127;

  /// How many quads of weights up to `largest` can be added up in 16-bit lanes.
  static int quadsOf16Bits(int largest) {
    return Math.min(BlockCode.QUADS, Short.MAX_VALUE / (2 * LARGEST_INPUT * largest));
  }
}
