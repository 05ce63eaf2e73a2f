package moxin.infer;

/// How keys and values are kept in a cache.
public enum KvType {
  /// In fp32, exactly as computed.
  F32(Float.BYTES),
  /// In IEEE binary16, rounded to nearest; half the memory of fp32.
  F16(Short.BYTES),
  /// In bf16, rounded to nearest; half the memory of fp32.
  BF16(Short.BYTES);

  private final int byteSize;

  KvType(int byteSize) {
    this.byteSize = byteSize;
  }

  /// Bytes of one number.
  public int byteSize() {
    return byteSize;
  }
}
