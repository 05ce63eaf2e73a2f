package moxin.model;

/// Element types of tensors on disk and in memory.
///
/// The quantised types are ggml's: neighbouring elements along the last dimension form blocks that
/// share scales. [moxin.model.quantised] knows their layouts. Safetensors has no such types.
public enum DType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U8(1),
  BOOL(1),
  Q4_0(32, 18),
  Q4_1(32, 20),
  Q5_0(32, 22),
  Q5_1(32, 24),
  Q8_0(32, 34),
  Q4_K(256, 144),
  Q5_K(256, 176),
  Q6_K(256, 210);

  private final int blockElements;
  private final int blockByteSize;

  DType(int byteSize) {
    this(1, byteSize);
  }

  DType(int blockElements, int blockByteSize) {
    this.blockElements = blockElements;
    this.blockByteSize = blockByteSize;
  }

  /// Bytes of one element.
  ///
  /// @throws IllegalStateException if this is a quantised type, whose elements share bytes
  public int byteSize() {
    if (isQuantised()) {
      throw new IllegalStateException("elements of " + this + " have no bytes of their own");
    }
    return blockByteSize;
  }

  /// Bytes of `elements` neighbouring elements.
  ///
  /// @throws IllegalArgumentException if they are no whole number of blocks
  /// @throws ArithmeticException if it is beyond 2⁶³ − 1
  public long byteSize(long elements) {
    if (elements % blockElements != 0) {
      throw new IllegalArgumentException(
          elements + " elements are no whole number of blocks of " + blockElements + ", " + this);
    }
    return Math.multiplyExact(elements / blockElements, (long) blockByteSize);
  }

  /// How many neighbouring elements share a block; 1 for types that are not quantised.
  public int blockElements() {
    return blockElements;
  }

  /// Bytes of one block.
  public int blockByteSize() {
    return blockByteSize;
  }

  /// Whether each element is stored as a floating-point number of its own.
  public boolean isFloatingPoint() {
    return switch (this) {
      case F64, F32, F16, BF16 -> true;
      case I64, I32, I16, I8, U8, BOOL, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> false;
    };
  }

  /// Whether elements are real numbers that share their scales in blocks.
  public boolean isQuantised() {
    return blockElements > 1;
  }
}
