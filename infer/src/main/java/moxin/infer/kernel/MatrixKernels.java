package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;

/// Matrix products of one tier. Stateless and thread-safe.
///
/// Every output is one chain of fused multiply-adds in fp32, in ascending order along K, starting
/// at +0, that depends on its row of weights and its token alone: never on the other tokens, on the
/// tiles of a call or on threads.
///
/// - F32, and BF16 with fp32 inputs: `y = fma(w[k], x[k], y)` for each k.
/// - Quantised weights meet quantised activations. A block of 32 activations has the scale `s =
///   max|x| / 127` in fp32 and the bytes `q[k] = round(x[k] · (1/s))`, ties to even, 0 throughout
///   where s is 0 or `1/s` is not finite; `sum` is the exact sum of its bytes. With `dot` the exact
///   integer dot product of a block:
///   - Q8_0: `y = fma((float) dot(q_w, q_x), d · s, y)`
///   - Q4_0: the same with weights `q_w − 8`
///   - Q4_K, Q5_K per 32: `y = fma((float) dot(q_w, q_x), (d · scale) · s, y)`, then `y =
///     fma(−(dmin · min), s · (float) sum, y)`
///   - Q6_K per 16: `y = fma((float) dot(q_w − 32, q_x), (d · scale) · s, y)`
///
///   where products in brackets are rounded to fp32 one by one. All tiers give the same bits.
/// - BF16 with bf16 inputs (machine code only): pairs of products by `vdpbf16ps`, in ascending
///   order. Same bits for every call, other bits than the other tiers; see `docs/PRECISION.md`.
public interface MatrixKernels {

  /// Rows of a tile.
  int TILE = 32;

  /// The name for messages, such as `vector-512`.
  String name();

  /// What products with weights of `format` multiply with.
  InputFormat inputFormat(WeightFormat format);

  /// Bytes of a packed matrix; a whole number for each tile.
  long packedBytes(WeightFormat format, int rows, int columns);

  /// Packs the rows `[32 · tile, 32 · tile + 32)` of `source` into `target`. Calls for different
  /// tiles may run at once.
  void pack(PackedMatrix target, int tile, RowSource source);

  /// Bytes of the prepared inputs of `tokens` tokens.
  long inputBytes(InputFormat format, int tokens, int columns);

  /// How many neighbouring tokens must be prepared in one call.
  int tokenGroup();

  /// Prepares the tokens `[from, to)` of `x` for [#multiply]. `from` and `to` are multiples of
  /// [#tokenGroup], or `to` is `tokens`. Calls for different tokens may run at once.
  ///
  /// @param x fp32, token n from float `n · xStride`, aligned to 64 bytes
  /// @param tokens how many tokens `input` holds in all
  /// @param input [#inputBytes] bytes, aligned to 64
  void prepare(
      InputFormat format,
      MemorySegment x,
      long xStride,
      int tokens,
      int from,
      int to,
      int columns,
      MemorySegment input);

  /// Multiplies the tiles `[fromTile, toTile)` of `weights` with `tokens` prepared tokens. Calls
  /// for different tiles may run at once.
  ///
  /// @param y fp32 outputs: rows of tile t of token n are written from float `n · yStride + 32 · t`
  void multiply(
      PackedMatrix weights,
      int fromTile,
      int toTile,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride);
}
