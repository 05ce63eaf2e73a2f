package moxin.model.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.model.DType;

/// ggml's numbers of element types.
public final class GgufTypes {

  private static final Map<DType, Integer> NUMBERS =
      Map.ofEntries(
          Map.entry(DType.F32, 0),
          Map.entry(DType.F16, 1),
          Map.entry(DType.Q4_0, 2),
          Map.entry(DType.Q4_1, 3),
          Map.entry(DType.Q5_0, 6),
          Map.entry(DType.Q5_1, 7),
          Map.entry(DType.Q8_0, 8),
          Map.entry(DType.Q4_K, 12),
          Map.entry(DType.Q5_K, 13),
          Map.entry(DType.Q6_K, 14),
          Map.entry(DType.I8, 24),
          Map.entry(DType.I16, 25),
          Map.entry(DType.I32, 26),
          Map.entry(DType.I64, 27),
          Map.entry(DType.F64, 28),
          Map.entry(DType.BF16, 30));

  private GgufTypes() {}

  /// The type that ggml calls `number`; empty for one that Moxin does not read.
  public static Optional<DType> ofNumber(int number) {
    return NUMBERS.entrySet().stream()
        .filter(entry -> entry.getValue() == number)
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /// ggml's number of `type`.
  ///
  /// @throws IllegalArgumentException if ggml has no such type
  public static int number(DType type) {
    Integer number = NUMBERS.get(type);
    if (number == null) {
      throw new IllegalArgumentException("ggml has no type " + type);
    }
    return number;
  }

  /// The types that can be read and written, for messages.
  public static List<DType> known() {
    return Arrays.stream(DType.values()).filter(NUMBERS::containsKey).toList();
  }
}
