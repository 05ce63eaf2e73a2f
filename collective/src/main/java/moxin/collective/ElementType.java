package moxin.collective;

/// What the numbers to be added are; their sums are fp32, or fp64 for fp64.
public enum ElementType {
  /// 32-bit floating point.
  F32(4, 4),
  /// The upper half of fp32.
  BF16(2, 4),
  /// 64-bit floating point.
  F64(8, 8);

  private final int bytes;
  private final int sumBytes;

  ElementType(int bytes, int sumBytes) {
    this.bytes = bytes;
    this.sumBytes = sumBytes;
  }

  /// Bytes of an element.
  public int bytes() {
    return bytes;
  }

  /// Bytes of an element of a sum.
  public int sumBytes() {
    return sumBytes;
  }
}
