package moxin.text.gguf;

import java.util.Arrays;
import java.util.Optional;

/// The types of metadata values.
public enum GgufType {
  UINT8(0, 1),
  INT8(1, 1),
  UINT16(2, 2),
  INT16(3, 2),
  UINT32(4, 4),
  INT32(5, 4),
  FLOAT32(6, 4),
  BOOL(7, 1),
  STRING(8, 0),
  ARRAY(9, 0),
  UINT64(10, 8),
  INT64(11, 8),
  FLOAT64(12, 8);

  private final int number;
  private final int byteSize;

  GgufType(int number, int byteSize) {
    this.number = number;
    this.byteSize = byteSize;
  }

  /// The type with `number`, if there is one.
  static Optional<GgufType> ofNumber(int number) {
    return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
  }

  /// Its number in a file.
  int number() {
    return number;
  }

  /// Bytes of one value; 0 where values differ in size.
  int byteSize() {
    return byteSize;
  }
}
