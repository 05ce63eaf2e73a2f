package moxin.torch;

import moxin.model.DType;

/// libtorch's codes of element types (`c10::ScalarType`).
final class ScalarTypes {

  private ScalarTypes() {}

  static int code(DType type) {
    return switch (type) {
      case U8 -> 0;
      case I8 -> 1;
      case I16 -> 2;
      case I32 -> 3;
      case I64 -> 4;
      case F16 -> 5;
      case F32 -> 6;
      case F64 -> 7;
      case BOOL -> 11;
      case BF16 -> 15;
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K ->
          throw new IllegalArgumentException("libtorch has no element type " + type);
    };
  }

  static DType of(int code) {
    for (DType type : DType.values()) {
      if (!type.isQuantised() && code(type) == code) {
        return type;
      }
    }
    throw new TorchException("libtorch's element type " + code + " is not supported");
  }
}
