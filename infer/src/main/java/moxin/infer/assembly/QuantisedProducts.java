package moxin.infer.assembly;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import moxin.infer.assembly.AssembledKernels.TileRows;
import moxin.infer.assembly.AssembledKernels.Tiles;
import moxin.infer.assembly.KernelLibrary.Quantised;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.WeightFormat;

/// Drives the kernels of quantised weights and INT8 inputs.
final class QuantisedProducts implements TileProducts {
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
  private final MemorySegment inputKernel;

  QuantisedProducts(Map<WeightFormat, List<Quantised>> formats, MemorySegment inputKernel) {
    this.formats = formats;
    this.inputKernel = inputKernel;
  }

  @Override
  public long tileBytes(WeightFormat format, int columns) {
    return MatrixKernels.TILE * format.rowBytes(columns);
  }

  @Override
  public long inputBytes(int tokens, int columns) {
    return tokens * InputLayout.int8TokenBytes(columns);
  }

  /// The kernels of the longest unit that columns are a whole number of.
  private Quantised kernels(WeightFormat format, int columns) {
    for (Quantised kernels : Objects.requireNonNull(formats.get(format))) {
      if (columns % kernels.unit().columns() == 0) {
        return kernels;
      }
    }
    throw new IllegalArgumentException(format + " has no rows of " + columns + " columns");
  }

  /// The rows of each vector in turn.
  @Override
  public void pack(WeightFormat format, TileRows rows, int columns, long target, Arena arena) {
    Quantised kernels = kernels(format, columns);
    long units = columns / kernels.unit().columns();
    long unitBytes = kernels.unit().unitBytes();
    for (int part = 0; part < parts(kernels); part++) {
      long to = target + part * units * unitBytes;
      Calls.call(kernels.pack(), rows.from(part * kernels.unit().rows()), to, units, unitBytes, 0);
    }
  }

  /// Vectors of rows in a tile.
  private static int parts(Quantised kernels) {
    return MatrixKernels.TILE / kernels.unit().rows();
  }

  @Override
  public void prepare(long x, int tokens, int token, int columns, long input) {
    TokenGroups groups = InputLayout.int8Groups(tokens);
    int group = groups.groupOf(token);
    int size = groups.size(group);
    int start = groups.start(group);
    long record = input + start * InputLayout.int8TokenBytes(columns);
    int offset = InputLayout.valueOffset(size, token - start, InputLayout.Value.SCALE);
    Calls.call(
        inputKernel,
        x,
        record + (long) InputLayout.BLOCK * (token - start),
        columns / InputLayout.BLOCK,
        (long) size * InputLayout.TOKEN_BYTES,
        record + offset,
        (long) size * Float.BYTES);
  }

  @Override
  public void multiply(WeightFormat format, Tiles tiles) {
    Quantised kernels = kernels(format, tiles.columns());
    if (tiles.tokens() <= InputLayout.DECODE_TOKENS) {
      Calls.call(
          kernels.decode()[tiles.tokens()],
          tiles.weights(),
          tiles.input(),
          tiles.y(),
          (long) parts(kernels) * tiles.tiles(),
          tiles.columns() / kernels.unit().columns(),
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
    int blocksOfUnit = kernels.unit().blocks();
    long weights = tiles.weights() + tile * tiles.tileBytes();
    for (int block = fromBlock; block < toBlock; block += Panel.BLOCKS) {
      int count = Math.min(Panel.BLOCKS, toBlock - block);
      long unit = block / blocksOfUnit;
      Calls.call(
          kernels.unpack(),
          weights + unit * kernels.unit().unitBytes(),
          panel,
          tiles.tileBytes() / parts(kernels),
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
    for (int row = 0; row < MatrixKernels.TILE; row += kernels.panelRows()) {
      Calls.call(
          kernels.panel()[size],
          panel + (long) row * Float.BYTES,
          tiles.input() + start * tokenBytes + (long) block * size * InputLayout.TOKEN_BYTES,
          tiles.y()
              + start * tiles.yStride()
              + ((long) tile * MatrixKernels.TILE + row) * Float.BYTES,
          to - from,
          count,
          tiles.yStride(),
          size * tokenBytes,
          block);
    }
  }
}
