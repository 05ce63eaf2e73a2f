package moxin.text.gguf;

import java.util.Optional;

/// The types of metadata values, in the order of their numbers in a file.
public enum GgufType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(0),
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private final int byteSize;

  GgufType(int byteSize) {
    this.byteSize = byteSize;
  }

  /// The type with `number`, if there is one.
  static Optional<GgufType> ofNumber(int number) {
    return number >= 0 && number < values().length
        ? Optional.of(values()[number])
        : Optional.empty();
  }

  /// Its number in a file.
  int number() {
    return ordinal();
  }

  /// Bytes of one value; 0 where values differ in size.
  int byteSize() {
    return byteSize;
  }
}
