package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;

/// Products of the same activations with several matrices, spread over threads. Inputs are prepared
/// once for each format that a matrix wants. For one thread at a time.
final class Products implements AutoCloseable {
  private static final long SMALL_PRODUCT = 100_000;
  private static final long SMALL_INPUT = 100_000;
  private static final int CHUNKS_PER_THREAD = 8;

  private final MatrixKernels kernels;
  private final Workers workers;
  private final Map<InputFormat, Input> inputs = new EnumMap<>(InputFormat.class);

  Products(MatrixKernels kernels, Workers workers) {
    this.kernels = kernels;
    this.workers = workers;
  }

  /// A matrix and where its product goes, `(tokens, paddedRows)`.
  record Product(PackedMatrix matrix, MemorySegment y) {}

  /// Multiplies `x`, `(tokens, xStride)`, with each matrix of `list`; all have the same columns.
  void multiply(MemorySegment x, long xStride, int tokens, List<Product> list) {
    int columns = list.getFirst().matrix().columns();
    InputFormat prepared = null;
    int tiles = 0;
    for (Product product : list) {
      InputFormat format = kernels.inputFormat(product.matrix().format());
      if (format != prepared) {
        prepare(format, x, xStride, tokens, columns);
        prepared = format;
      }
      tiles += product.matrix().tiles();
    }
    long cost = (long) tiles * MatrixKernels.TILE * columns * tokens;
    int chunks = cost < SMALL_PRODUCT ? 1 : workers.threads() * CHUNKS_PER_THREAD;
    int size = Math.max(1, (tiles + chunks - 1) / chunks);
    int count = (tiles + size - 1) / size;
    int all = tiles;
    workers.forEach(
        count,
        (index, _) -> multiply(list, index * size, Math.min(all, (index + 1) * size), tokens));
  }

  /// Multiplies the tiles `[from, to)`, counted over all matrices of `list`.
  private void multiply(List<Product> list, int from, int to, int tokens) {
    int start = 0;
    for (Product product : list) {
      PackedMatrix matrix = product.matrix();
      int end = start + matrix.tiles();
      int first = Math.max(from, start);
      int last = Math.min(to, end);
      if (first < last) {
        kernels.multiply(
            matrix,
            first - start,
            last - start,
            input(kernels.inputFormat(matrix.format())).memory,
            tokens,
            product.y(),
            matrix.paddedRows());
      }
      start = end;
    }
  }

  private void prepare(InputFormat format, MemorySegment x, long xStride, int tokens, int columns) {
    MemorySegment memory = input(format).reserve(kernels.inputBytes(format, tokens, columns));
    int group = kernels.tokenGroup();
    int groups = (tokens + group - 1) / group;
    if ((long) tokens * columns < SMALL_INPUT) {
      kernels.prepare(format, x, xStride, tokens, 0, tokens, columns, memory);
    } else {
      workers.forEach(
          groups,
          (index, _) ->
              kernels.prepare(
                  format,
                  x,
                  xStride,
                  tokens,
                  index * group,
                  Math.min(tokens, (index + 1) * group),
                  columns,
                  memory));
    }
  }

  private Input input(InputFormat format) {
    return inputs.computeIfAbsent(format, _ -> new Input());
  }

  @Override
  public void close() {
    inputs.values().forEach(input -> input.arena.close());
    inputs.clear();
  }

  /// Prepared inputs of one format.
  private static final class Input {
    private Arena arena = Arena.ofShared();
    private MemorySegment memory = MemorySegment.NULL;

    @SuppressWarnings("MustBeClosedChecker")
    Input() {}

    @SuppressWarnings("MustBeClosedChecker")
    MemorySegment reserve(long bytes) {
      if (memory.byteSize() < bytes) {
        arena.close();
        arena = Arena.ofShared();
        memory = arena.allocate(bytes, 64);
      }
      return memory;
    }
  }
}
