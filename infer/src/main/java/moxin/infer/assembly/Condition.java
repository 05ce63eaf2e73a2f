package moxin.infer.assembly;

/// When a conditional jump is taken.
public enum Condition {
  /// The last result was zero, or two values were equal.
  ZERO(0x4),
  /// The last result was not zero.
  NOT_ZERO(0x5),
  /// Unsigned below.
  BELOW(0x2),
  /// Unsigned above.
  ABOVE(0x7);

  private final int code;

  Condition(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
