package moxin.infer;

/// How keys and values are kept in a cache.
public enum KvType {
  /// In fp32, exactly as computed.
  F32(Float.BYTES),
  /// In IEEE binary16, rounded to nearest; half the memory of fp32.
  F16(Short.BYTES),
  /// In bf16, rounded to nearest; half the memory of fp32.
  BF16(Short.BYTES),
  /// In int8 with one fp32 scale for each vector of a head; about a quarter of the memory of fp32.
  Q8(Byte.BYTES);

  private final int byteSize;

  KvType(int byteSize) {
    this.byteSize = byteSize;
  }

  /// Bytes of `vectors` vectors of `depth` numbers.
  public long byteSize(int depth, int vectors) {
    long scales = this == Q8 ? (long) vectors * Float.BYTES : 0;
    return scales + (long) depth * vectors * byteSize;
  }
}
