package moxin.infer.kernel;

/// How a weight matrix is stored in a file and, rearranged, in memory.
///
/// Quantised formats are ggml's: blocks along a row, each with its own scale.
public enum WeightFormat {
  /// IEEE binary32.
  F32(1, 4),
  /// The upper half of binary32.
  BF16(1, 2),
  /// 32 signed bytes and an f16 scale: w = d · q.
  Q8_0(32, 34),
  /// 32 nibbles and an f16 scale: w = d · (q − 8). Byte i holds element i low and i + 16 high.
  Q4_0(32, 18),
  /// 256 nibbles, 8 pairs of a 6-bit scale and a 6-bit minimum, f16 d and dmin: w = d · s · q −
  /// dmin · m.
  Q4_K(256, 144),
  /// As Q4_K with a fifth bit.
  Q5_K(256, 176),
  /// 256 6-bit numbers, 16 signed 8-bit scales and an f16 d: w = d · s · (q − 32).
  Q6_K(256, 210);

  private final int blockElements;
  private final int blockBytes;

  WeightFormat(int blockElements, int blockBytes) {
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  /// How many neighbouring elements of a row form a block; a row is a whole number of blocks.
  public int blockElements() {
    return blockElements;
  }

  /// Bytes of a block in a file.
  public int blockBytes() {
    return blockBytes;
  }

  /// Bytes of a row of `columns` elements in a file.
  public long rowBytes(int columns) {
    if (columns % blockElements != 0) {
      throw new IllegalArgumentException(
          columns + " columns are no whole number of blocks of " + blockElements);
    }
    return (long) columns / blockElements * blockBytes;
  }
}
