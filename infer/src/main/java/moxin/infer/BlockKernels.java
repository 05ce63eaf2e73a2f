package moxin.infer;

import java.lang.foreign.MemorySegment;

/// What a pass computes besides matrix products of weights: norms, rotations, attention, gates.
/// Stateless and thread-safe; places in memory are counted in floats.
///
/// All implementations agree to the last bit: each method says in which order it sums, and
/// exponentials are the same polynomial everywhere (see [Exponential]).
interface BlockKernels {

  /// Lanes in which sums over a row are kept apart; element i of a row belongs to lane `i mod 32`.
  int LANES = 32;

  /// The name for messages, such as `vector-512`.
  String name();

  /// RMSNorm of one row (Zhang and Sennrich 2019): `y = x · factor · scale` with `factor = 1 /
  /// √(mean(x²) + epsilon)`. Squares are summed in float64 in 8 lanes, the lanes in order.
  void normalise(
      MemorySegment x,
      long xAt,
      MemorySegment scale,
      int width,
      double epsilon,
      MemorySegment y,
      long yAt);

  /// `sums += update`, element by element.
  void add(MemorySegment update, long updateAt, MemorySegment sums, long sumsAt, int count);

  /// SwiGLU's gate (Shazeer 2020): `gate = gate / (1 + exp(−gate)) · up`.
  void gate(MemorySegment gate, long gateAt, MemorySegment up, long upAt, int count);

  /// Rotates `heads` vectors of `depth` numbers in the half-split order of Hugging Face (Su et al.,
  /// RoFormer): `(low, high) → (low · cos − high · sin, high · cos + low · sin)`.
  ///
  /// @param cosines `depth / 2` numbers from `angleAt`, `sines` likewise
  void rotate(
      MemorySegment vectors,
      long at,
      int heads,
      int depth,
      MemorySegment cosines,
      MemorySegment sines,
      long angleAt);

  /// `c += a · b` for a of `(rows, inner)`, b of `(inner, columns)`, c of `(rows, columns)`: each
  /// element one chain of fused multiply-adds in ascending order of the inner dimension.
  void accumulate(
      float[] a,
      int aAt,
      int aStride,
      int rows,
      int inner,
      float[] b,
      int bStride,
      float[] c,
      int cAt,
      int cStride,
      int columns);

  /// Replaces `count` scores by `exp((score − max) · scale)` and returns their sum: in [#LANES]
  /// fp32 lanes, the lanes in float64 in order.
  ///
  /// @param count a multiple of 32; scores may be −∞
  float exponentials(float[] scores, int at, int count, float scale);

  /// `target = source · factor`, element by element.
  void scale(
      float[] source, int sourceAt, float factor, MemorySegment target, long targetAt, int count);

  /// Widens `count` numbers of `type` to fp32, exactly; `count` is a multiple of 32.
  void widen(MemorySegment source, KvType type, float[] target, int count);

  /// Widens a panel `(rows, 32)` of [KvType#Q8]: 32 fp32 scales, one for each column, then the
  /// numbers in int8; each is multiplied with its column's scale.
  void widenColumns(MemorySegment source, float[] target, int rows);

  /// Widens a panel `(32, columns)` of [KvType#Q8]: 32 fp32 scales, one for each row, then the
  /// numbers in int8; each is multiplied with its row's scale.
  void widenRows(MemorySegment source, float[] target, int columns);
}
