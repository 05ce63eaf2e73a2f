package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moxin.infer.assembly.AssembledKernels.TileRows;
import moxin.infer.assembly.AssembledKernels.Tiles;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.WeightFormat;

/// Drives the kernels of F32 and BF16 weights that meet fp32 inputs. Columns are padded to whole
/// steps with inputs 0 and weights −0, whose products change no sum, not even one of −0.
///
/// Inputs are rows of floats, a cache line further apart than they need, since rows of a power of
/// two would fall into the same places of the first cache.
final class FloatProducts implements TileProducts {
  /// Columns of a step.
  static final int STEP = 8;

  private static final int LINE = 64;

  /// Columns that all groups of a pass meet before the next.
  private static final int COLUMNS = 512;

  /// Groups of tokens that meet the same columns of many tiles in turn.
  private static final int GROUPS = 16;

  private final Kernels f32;
  private final Kernels bf16;

  FloatProducts(Kernels f32, Kernels bf16) {
    this.f32 = f32;
    this.bf16 = bf16;
  }

  /// The kernels of a format; index 0 of those by tokens is no kernel.
  record Kernels(MemorySegment pack, MemorySegment[] products) {}

  private Kernels kernels(WeightFormat format) {
    return format == WeightFormat.F32 ? f32 : bf16;
  }

  private static int steps(int columns) {
    return Math.ceilDiv(columns, STEP);
  }

  private static long stepBytes(WeightFormat format) {
    return (long) STEP / 2 * YmmFloatKernel.pairBytes(format.blockBytes());
  }

  private static long tokenBytes(int columns) {
    return Math.ceilDiv((long) steps(columns) * STEP * Float.BYTES, LINE) * LINE + LINE;
  }

  @Override
  public long tileBytes(WeightFormat format, int columns) {
    return steps(columns) * stepBytes(format);
  }

  @Override
  public long inputBytes(int tokens, int columns) {
    return tokens * tokenBytes(columns);
  }

  @Override
  public void pack(WeightFormat format, TileRows rows, int columns, long target, Arena arena) {
    int whole = columns / STEP;
    pack(format, rows, whole, target);
    if (columns % STEP > 0) {
      pack(format, rest(format, rows, columns, arena), 1, target + whole * stepBytes(format));
    }
  }

  private void pack(WeightFormat format, TileRows rows, int steps, long target) {
    for (int row = 0; steps > 0 && row < MatrixKernels.TILE; row += YmmBlockCode.ROWS) {
      long to = target + (long) row * Integer.BYTES;
      Calls.call(kernels(format).pack(), rows.from(row), to, steps, stepBytes(format), 0);
    }
  }

  /// The last columns of all rows, with −0 behind.
  private static TileRows rest(WeightFormat format, TileRows rows, int columns, Arena arena) {
    long from = (long) columns / STEP * STEP * format.blockBytes();
    MemorySegment addresses = arena.allocate(ValueLayout.JAVA_LONG, MatrixKernels.TILE);
    for (int row = 0; row < MatrixKernels.TILE; row++) {
      MemorySegment padded = arena.allocate((long) STEP * format.blockBytes(), Long.BYTES);
      for (int k = 0; k < STEP; k++) {
        if (format == WeightFormat.F32) {
          padded.setAtIndex(ValueLayout.JAVA_FLOAT, k, -0f);
        } else {
          padded.setAtIndex(ValueLayout.JAVA_SHORT, k, Short.MIN_VALUE);
        }
      }
      MemorySegment source = rows.row(row, format.rowBytes(columns));
      MemorySegment.copy(source, from, padded, 0, source.byteSize() - from);
      addresses.setAtIndex(ValueLayout.JAVA_LONG, row, padded.address());
    }
    return new TileRows(addresses);
  }

  @Override
  @SuppressWarnings("restricted")
  public void prepare(long x, int tokens, int token, int columns, long input) {
    long bytes = (long) columns * Float.BYTES;
    MemorySegment target =
        MemorySegment.ofAddress(input + token * tokenBytes(columns))
            .reinterpret((long) steps(columns) * STEP * Float.BYTES);
    MemorySegment.copy(MemorySegment.ofAddress(x).reinterpret(bytes), 0, target, 0, bytes);
    target.asSlice(bytes).fill((byte) 0);
  }

  @Override
  public void multiply(WeightFormat format, Tiles tiles) {
    TokenGroups groups = TokenGroups.of(tiles.tokens(), YmmFloatKernel.TOKENS);
    int passes = Math.ceilDiv(groups.groups(), GROUPS);
    int columns = steps(tiles.columns()) * STEP;
    boolean isOnePass = YmmFloatKernel.rows(groups.size()) == MatrixKernels.TILE;
    int atOnce = isOnePass ? columns : COLUMNS;
    for (int pass = 0; pass < passes; pass++) {
      int from = groups.groups() * pass / passes;
      int to = groups.groups() * (pass + 1) / passes;
      int border = Math.clamp(groups.larger(), from, to);
      for (int k = 0; k < columns; k += atOnce) {
        int count = Math.min(atOnce, columns - k);
        for (int tile = 0; tile < tiles.tiles(); tile++) {
          groups(format, tiles, tile, groups, from, border, k, count);
          groups(format, tiles, tile, groups, border, to, k, count);
        }
      }
    }
  }

  /// Groups of the same size.
  private void groups(
      WeightFormat format,
      Tiles tiles,
      int tile,
      TokenGroups groups,
      int from,
      int to,
      int column,
      int count) {
    if (from == to) {
      return;
    }
    int size = groups.size(from);
    int start = groups.start(from);
    long tokenBytes = tokenBytes(tiles.columns());
    long weights = tiles.weights() + tile * tiles.tileBytes() + column / STEP * stepBytes(format);
    int rows = YmmFloatKernel.rows(size);
    for (int row = 0; row < MatrixKernels.TILE; row += rows) {
      long rowOf = (long) tile * MatrixKernels.TILE + row;
      Calls.call(
          kernels(format).products()[size],
          weights + (long) row * Integer.BYTES,
          tiles.input() + start * tokenBytes + (long) column * Float.BYTES,
          tiles.y() + start * tiles.yStride() + rowOf * Float.BYTES,
          to - from,
          count / 2,
          tiles.yStride(),
          tokenBytes,
          column);
    }
  }
}
