package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import moxin.infer.assembly.AssembledKernels.TileRows;
import moxin.infer.assembly.AssembledKernels.Tiles;
import moxin.infer.assembly.KernelLibrary.Quantised;
import moxin.infer.kernel.WeightFormat;

/// Drives the kernels of quantised weights and INT8 inputs.
final class QuantisedProducts {
  /// Bytes of inputs that many tiles use in turn; they stay in the second cache.
  private static final int INPUT_BYTES = 512 << 10;

  /// Groups of tokens that share the unpacking of a tile, at most.
  private static final int GROUPS = 16;

  /// Blocks of 32 columns that many tiles go through before the next, a whole number of panels.
  private static final int BLOCKS =
      INPUT_BYTES
          / (GROUPS * InputLayout.INT8_TOKENS * InputLayout.TOKEN_BYTES)
          / Panel.BLOCKS
          * Panel.BLOCKS;

  private final Map<WeightFormat, List<Quantised>> formats;
  private final KernelLibrary.Entries entries;

  QuantisedProducts(KernelLibrary.Entries entries) {
    this.entries = entries;
    this.formats = entries.quantised();
  }

  /// The kernels of the longest unit that columns are a whole number of.
  private Quantised kernels(WeightFormat format, int columns) {
    for (Quantised kernels : Objects.requireNonNull(formats.get(format))) {
      if (columns % kernels.code().columns() == 0) {
        return kernels;
      }
    }
    throw new IllegalArgumentException(format + " has no rows of " + columns + " columns");
  }

  /// Two panels of 16 rows, one behind the other.
  void pack(WeightFormat format, TileRows rows, int columns, long target) {
    Quantised kernels = kernels(format, columns);
    long units = columns / kernels.code().columns();
    long unitBytes = kernels.code().unitBytes();
    for (int half = 0; half < 2; half++) {
      long panel = target + half * units * unitBytes;
      Calls.call(kernels.pack(), rows.half(half), panel, units, unitBytes, 0);
    }
  }

  void prepare(long x, int tokens, int token, int columns, long input) {
    TokenGroups groups = InputLayout.int8Groups(tokens);
    int group = groups.groupOf(token);
    int size = groups.size(group);
    int start = groups.start(group);
    long record = input + start * InputLayout.int8TokenBytes(columns);
    int offset = InputLayout.valueOffset(size, token - start, InputLayout.Value.SCALE);
    Calls.call(
        entries.int8Input(),
        x,
        record + (long) InputLayout.BLOCK * (token - start),
        columns / InputLayout.BLOCK,
        (long) size * InputLayout.TOKEN_BYTES,
        record + offset,
        (long) size * Float.BYTES);
  }

  void multiply(WeightFormat format, Tiles tiles) {
    Quantised kernels = kernels(format, tiles.columns());
    if (tiles.tokens() <= InputLayout.DECODE_TOKENS) {
      Calls.call(
          kernels.decode()[tiles.tokens()],
          tiles.weights(),
          tiles.input(),
          tiles.y(),
          2L * tiles.tiles(),
          tiles.columns() / kernels.code().columns(),
          tiles.yStride());
      return;
    }
    TokenGroups groups = InputLayout.int8Groups(tiles.tokens());
    int passes = Math.ceilDiv(groups.groups(), GROUPS);
    int blocks = tiles.columns() / InputLayout.BLOCK;
    try (Arena arena = Arena.ofConfined()) {
      long panel = arena.allocate((long) Panel.BLOCKS * Panel.BLOCK_BYTES, 64).address();
      for (int pass = 0; pass < passes; pass++) {
        int from = groups.groups() * pass / passes;
        int to = groups.groups() * (pass + 1) / passes;
        for (int block = 0; block < blocks; block += BLOCKS) {
          int end = Math.min(blocks, block + BLOCKS);
          for (int tile = 0; tile < tiles.tiles(); tile++) {
            tile(kernels, tiles, tile, groups, from, to, block, end, panel);
          }
        }
      }
    }
  }

  private static void tile(
      Quantised kernels,
      Tiles tiles,
      int tile,
      TokenGroups groups,
      int from,
      int to,
      int fromBlock,
      int toBlock,
      long panel) {
    int blocksOfUnit = kernels.code().blocks();
    long weights = tiles.weights() + tile * tiles.tileBytes();
    for (int block = fromBlock; block < toBlock; block += Panel.BLOCKS) {
      int count = Math.min(Panel.BLOCKS, toBlock - block);
      long unit = block / blocksOfUnit;
      Calls.call(
          kernels.unpack(),
          weights + unit * kernels.code().unitBytes(),
          panel,
          tiles.tileBytes() / 2,
          count / blocksOfUnit);
      int border = Math.clamp(groups.larger(), from, to);
      groups(kernels, tiles, tile, groups, from, border, block, count, panel);
      groups(kernels, tiles, tile, groups, border, to, block, count, panel);
    }
  }

  /// Groups of the same size.
  private static void groups(
      Quantised kernels,
      Tiles tiles,
      int tile,
      TokenGroups groups,
      int from,
      int to,
      int block,
      int count,
      long panel) {
    if (from == to) {
      return;
    }
    int size = groups.size(from);
    int start = groups.start(from);
    long tokenBytes = InputLayout.int8TokenBytes(tiles.columns());
    Calls.call(
        kernels.panel()[size],
        panel,
        tiles.input() + start * tokenBytes + (long) block * size * InputLayout.TOKEN_BYTES,
        tiles.y() + start * tiles.yStride() + (long) tile * 2 * BlockCode.VECTOR,
        to - from,
        count,
        tiles.yStride(),
        size * tokenBytes,
        block);
  }
}
