package moxin.infer.assembly;

/// Where prepared inputs lie.
///
/// INT8, per group of T tokens and per 32 columns, a record of `T · 56` bytes: T times 32 signed
/// bytes q, then for each of the values below T numbers of 4 bytes. BF16, per group and per pair of
/// columns: T pairs; columns are padded with zeros to whole steps.
final class InputLayout {
  /// Columns of a record.
  static final int BLOCK = 32;

  /// Bytes of a token in a record.
  static final int TOKEN_BYTES = 56;

  /// Columns that a bf16 kernel advances by.
  static final int BF16_STEP = 16;

  /// The most tokens whose quantised products are computed straight from packed weights.
  static final int DECODE_TOKENS = 8;

  /// The most tokens of a group, quantised.
  static final int INT8_TOKENS = 6;

  /// The most tokens of a group in bf16.
  static final int BF16_TOKENS = 12;

  /// The 4-byte numbers behind the bytes of a record.
  enum Value {
    /// fp32, the scale s.
    SCALE,
    /// int32, −8 · Σq.
    MINUS_8_SUM,
    /// int32, −128 · Σq.
    MINUS_128_SUM,
    /// fp32, s · (float) Σq.
    SCALED_SUM,
    /// int32, −32 times the sum of the first 16 bytes.
    MINUS_32_SUM_LOW,
    /// int32, −32 times the sum of the last 16 bytes.
    MINUS_32_SUM_HIGH
  }

  private InputLayout() {}

  static TokenGroups int8Groups(int tokens) {
    return TokenGroups.of(tokens, tokens <= DECODE_TOKENS ? DECODE_TOKENS : INT8_TOKENS);
  }

  static TokenGroups bf16Groups(int tokens) {
    return TokenGroups.of(tokens, BF16_TOKENS);
  }

  /// Where a value of token `token` lies in the record of a group of `tokens`.
  static int valueOffset(int tokens, int token, Value value) {
    return tokens * BLOCK + (value.ordinal() * tokens + token) * Float.BYTES;
  }

  static long int8TokenBytes(int columns) {
    return (long) columns / BLOCK * TOKEN_BYTES;
  }

  static int bf16Steps(int columns) {
    return (columns + BF16_STEP - 1) / BF16_STEP;
  }

  static long bf16TokenBytes(int columns) {
    return (long) bf16Steps(columns) * BF16_STEP * Short.BYTES;
  }
}
