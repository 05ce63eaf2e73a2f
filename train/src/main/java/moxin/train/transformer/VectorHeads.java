package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.FLOATS;
import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.MEMORY;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Between the rows of projections, `(N, heads · D)`, and the layout of attention, in which the R
/// query heads that share a key head follow one another at each position: queries `(B, G, T, R,
/// D)`, keys and values `(B, G, P, D)` with P ≥ T positions of room. Rotary embedding on the way.
final class VectorHeads {

  private VectorHeads() {}

  /// The sizes of one slice of a batch.
  record Shape(int rows, int length, int room, int groups, int perGroup, int headDim) {

    /// The width of a row that holds all queries, keys and values.
    int projectedWidth() {
      return (groups * perGroup + 2 * groups) * headDim;
    }

    long queryOffset(int row, int group, int position) {
      return (((long) row * groups + group) * length + position) * perGroup * headDim;
    }

    long keyOffset(int row, int group, int position) {
      return (((long) row * groups + group) * room + position) * headDim;
    }
  }

  /// Splits `projected (N, (H + 2G) · D)` and rotates queries and keys.
  static void split(
      Shape shape,
      boolean bf16,
      RotaryTable table,
      long projected,
      long queries,
      long keys,
      long values) {
    long bytes = VectorMemory.bytes(bf16);
    int headDim = shape.headDim();
    for (int row = 0; row < shape.rows(); row++) {
      for (int t = 0; t < shape.length(); t++) {
        long n = (long) row * shape.length() + t;
        long from = projected + bytes * n * shape.projectedWidth();
        for (int group = 0; group < shape.groups(); group++) {
          long to = queries + bytes * shape.queryOffset(row, group, t);
          for (int r = 0; r < shape.perGroup(); r++) {
            rotate(bf16, table, t, 1, from, bf16, to);
            from += bytes * headDim;
            to += bytes * headDim;
          }
        }
        for (int group = 0; group < shape.groups(); group++) {
          rotate(bf16, table, t, 1, from, bf16, keys + bytes * shape.keyOffset(row, group, t));
          from += bytes * headDim;
        }
        for (int group = 0; group < shape.groups(); group++) {
          long to = values + bytes * shape.keyOffset(row, group, t);
          MemorySegment.copy(MEMORY, from, MEMORY, to, bytes * headDim);
          from += bytes * headDim;
        }
      }
    }
  }

  /// The gradient of [#split]: rotates those of queries (compute type) and keys (fp32) back and
  /// joins them with those of values (fp32) in `dProjected`.
  static void join(
      Shape shape,
      boolean bf16,
      RotaryTable table,
      long dQueries,
      long dKeys,
      long dValues,
      long dProjected) {
    long bytes = VectorMemory.bytes(bf16);
    int headDim = shape.headDim();
    for (int row = 0; row < shape.rows(); row++) {
      for (int t = 0; t < shape.length(); t++) {
        long n = (long) row * shape.length() + t;
        long to = dProjected + bytes * n * shape.projectedWidth();
        for (int group = 0; group < shape.groups(); group++) {
          long from = dQueries + bytes * shape.queryOffset(row, group, t);
          for (int r = 0; r < shape.perGroup(); r++) {
            rotate(bf16, table, t, -1, from, bf16, to);
            from += bytes * headDim;
            to += bytes * headDim;
          }
        }
        for (int group = 0; group < shape.groups(); group++) {
          rotate(false, table, t, -1, dKeys + 4 * shape.keyOffset(row, group, t), bf16, to);
          to += bytes * headDim;
        }
        for (int group = 0; group < shape.groups(); group++) {
          narrow(headDim, dValues + 4 * shape.keyOffset(row, group, t), bf16, to);
          to += bytes * headDim;
        }
      }
    }
  }

  /// Copies positions `[from, to)` of one row and group from `attended (N, H · D)` into a tile
  /// `((to − from) · R, D)`.
  static void gather(
      Shape shape, boolean bf16, int row, int group, int from, int to, long attended, long tile) {
    long chunk = (long) VectorMemory.bytes(bf16) * shape.perGroup() * shape.headDim();
    long source =
        attended + chunk * (((long) row * shape.length() + from) * shape.groups() + group);
    for (int t = from; t < to; t++) {
      MemorySegment.copy(MEMORY, source, MEMORY, tile, chunk);
      source += chunk * shape.groups();
      tile += chunk;
    }
  }

  /// The inverse of [#gather].
  static void scatter(
      Shape shape, boolean bf16, int row, int group, int from, int to, long tile, long attended) {
    long chunk = (long) VectorMemory.bytes(bf16) * shape.perGroup() * shape.headDim();
    long target =
        attended + chunk * (((long) row * shape.length() + from) * shape.groups() + group);
    for (int t = from; t < to; t++) {
      MemorySegment.copy(MEMORY, tile, MEMORY, target, chunk);
      target += chunk * shape.groups();
      tile += chunk;
    }
  }

  private static void rotate(
      boolean fromBf16, RotaryTable table, int t, float sign, long from, boolean toBf16, long to) {
    int half = table.half();
    int at = t * half;
    long fromHalf = from + (long) VectorMemory.bytes(fromBf16) * half;
    long toHalf = to + (long) VectorMemory.bytes(toBf16) * half;
    if (half % LANES != 0) {
      rotateOneByOne(fromBf16, table, t, sign, from, toBf16, to);
      return;
    }
    for (int i = 0; i < half; i += LANES) {
      FloatVector a = load(fromBf16, from, i, half);
      FloatVector b = load(fromBf16, fromHalf, i, half);
      FloatVector cos = FloatVector.fromArray(FLOATS, table.cosines(), at + i);
      FloatVector sin = FloatVector.fromArray(FLOATS, table.sines(), at + i).mul(sign);
      store(toBf16, to, i, half, a.mul(cos).sub(b.mul(sin)));
      store(toBf16, toHalf, i, half, b.mul(cos).add(a.mul(sin)));
    }
  }

  private static void rotateOneByOne(
      boolean fromBf16, RotaryTable table, int t, float sign, long from, boolean toBf16, long to) {
    int half = table.half();
    for (int i = 0; i < half; i++) {
      float a = VectorMemory.loadOne(fromBf16, from, i);
      float b = VectorMemory.loadOne(fromBf16, from, half + i);
      float cos = table.cosines()[t * half + i];
      float sin = table.sines()[t * half + i] * sign;
      VectorMemory.storeOne(toBf16, to, i, a * cos - b * sin);
      VectorMemory.storeOne(toBf16, to, half + i, b * cos + a * sin);
    }
  }

  private static void narrow(int count, long from, boolean bf16, long to) {
    for (int i = 0; i < count; i += LANES) {
      store(bf16, to, i, count, load(false, from, i, count));
    }
  }
}
