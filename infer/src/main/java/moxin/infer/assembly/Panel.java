package moxin.infer.assembly;

/// A tile's weights of some blocks of 32 columns, unpacked for many tokens; it stays in the first
/// cache. Per block: for 2 times 16 rows the fp32 scales, then the second scales or minimums, then
/// for each quad the unsigned bytes.
final class Panel {
  static final int SCALES = 0;
  static final int SECOND = 2 * BlockCode.VECTOR;
  static final int QUADS = 4 * BlockCode.VECTOR;
  static final int QUAD_BYTES = 2 * BlockCode.VECTOR;
  static final int BLOCK_BYTES = QUADS + BlockCode.QUADS * QUAD_BYTES;

  /// Blocks of a panel: two blocks of 256 columns.
  static final int BLOCKS = 16;

  private Panel() {}
}
