package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moxin.infer.assembly.AssembledKernels.TileRows;
import moxin.infer.assembly.AssembledKernels.Tiles;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.WeightFormat;

/// Drives the kernels of bf16 weights and inputs. Columns are padded with zeros to whole steps.
final class Bf16Products implements TileProducts {
  private static final int STEP = InputLayout.BF16_STEP;

  /// Bytes of inputs that many tiles use in turn; they stay in the second cache.
  private static final long INPUT_BYTES = 512 << 10;

  private final KernelLibrary.Entries entries;

  Bf16Products(KernelLibrary.Entries entries) {
    this.entries = entries;
  }

  @Override
  public long inputBytes(int tokens, int columns) {
    return tokens * InputLayout.bf16TokenBytes(columns);
  }

  @Override
  public long tileBytes(WeightFormat format, int columns) {
    return (long) InputLayout.bf16Steps(columns) * Bf16Kernel.STEP_BYTES;
  }

  @Override
  public void pack(WeightFormat format, TileRows rows, int columns, long target, Arena arena) {
    int steps = columns / STEP;
    for (int half = 0; half < 2; half++) {
      long to = target + (long) half * BlockCode.VECTOR;
      if (steps > 0) {
        Calls.call(
            entries.bf16Pack(),
            rows.from(half * BlockCode.ROWS),
            to,
            steps,
            Bf16Kernel.STEP_BYTES,
            0);
      }
    }
    if (columns % STEP > 0) {
      TileRows rest = rest(rows, columns, arena);
      for (int half = 0; half < 2; half++) {
        long to = target + (long) steps * Bf16Kernel.STEP_BYTES + (long) half * BlockCode.VECTOR;
        Calls.call(
            entries.bf16Pack(), rest.from(half * BlockCode.ROWS), to, 1, Bf16Kernel.STEP_BYTES, 0);
      }
    }
  }

  /// The last columns of all rows, with zeros behind.
  private static TileRows rest(TileRows rows, int columns, Arena arena) {
    int full = columns / STEP * STEP;
    MemorySegment addresses = arena.allocate(ValueLayout.JAVA_LONG, MatrixKernels.TILE);
    for (int row = 0; row < MatrixKernels.TILE; row++) {
      MemorySegment source = rows.row(row, (long) columns * Short.BYTES);
      MemorySegment padded = arena.allocate((long) STEP * Short.BYTES, Long.BYTES);
      padded.copyFrom(source.asSlice((long) full * Short.BYTES));
      addresses.setAtIndex(ValueLayout.JAVA_LONG, row, padded.address());
    }
    return new TileRows(addresses);
  }

  @Override
  @SuppressWarnings("restricted")
  public void prepare(long x, int tokens, int token, int columns, long input) {
    TokenGroups groups = InputLayout.bf16Groups(tokens);
    int group = groups.groupOf(token);
    int size = groups.size(group);
    int start = groups.start(group);
    long pairBytes = (long) size * Integer.BYTES;
    long target =
        input
            + start * InputLayout.bf16TokenBytes(columns)
            + (long) (token - start) * Integer.BYTES;
    int steps = columns / STEP;
    if (steps > 0) {
      Calls.call(entries.bf16Input(), x, target, steps, pairBytes);
    }
    int rest = columns % STEP;
    if (rest > 0) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment padded = arena.allocate(ValueLayout.JAVA_FLOAT, STEP);
        long from = x + (long) steps * STEP * Float.BYTES;
        padded.copyFrom(MemorySegment.ofAddress(from).reinterpret((long) rest * Float.BYTES));
        long to = target + steps * (STEP / 2L) * pairBytes;
        Calls.call(entries.bf16Input(), padded.address(), to, 1, pairBytes);
      }
    }
  }

  @Override
  public void multiply(WeightFormat format, Tiles tiles) {
    TokenGroups groups = InputLayout.bf16Groups(tiles.tokens());
    long groupBytes = groups.size() * InputLayout.bf16TokenBytes(tiles.columns());
    int atOnce = (int) Math.max(2, INPUT_BYTES / groupBytes);
    int passes = Math.ceilDiv(groups.groups(), atOnce);
    for (int pass = 0; pass < passes; pass++) {
      int from = groups.groups() * pass / passes;
      int to = groups.groups() * (pass + 1) / passes;
      int border = Math.clamp(groups.larger(), from, to);
      for (int tile = 0; tile < tiles.tiles(); tile++) {
        groups(tiles, tile, groups, from, border);
        groups(tiles, tile, groups, border, to);
      }
    }
  }

  /// Groups of the same size.
  private void groups(Tiles tiles, int tile, TokenGroups groups, int from, int to) {
    if (from == to) {
      return;
    }
    int size = groups.size(from);
    int start = groups.start(from);
    long tokenBytes = InputLayout.bf16TokenBytes(tiles.columns());
    Calls.call(
        entries.bf16()[size],
        tiles.weights() + tile * tiles.tileBytes(),
        tiles.input() + start * tokenBytes,
        tiles.y() + start * tiles.yStride() + (long) tile * 2 * BlockCode.VECTOR,
        to - from,
        InputLayout.bf16Steps(tiles.columns()),
        tiles.yStride(),
        size * tokenBytes);
  }
}
