package moxin.bench;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import moxin.infer.assembly.AssembledKernels;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.ScalarKernels;
import moxin.infer.kernel.WeightFormat;

/// The rates of matrix kernels: products of 14336 × 4096 weights with 1 to 512 tokens, each thread
/// on its share of the rows, beside the rate at which the same threads read the same memory.
///
/// Weights are several matrices in turn, more than caches hold. For every format: packing in GB/s
/// of packed weights, then for each number of tokens GB/s of weights and GOP/s (two operations for
/// each weight and token), the best of many rounds. Reading is measured before each format, since a
/// shared machine's memory changes its speed.
public final class KernelBenchmark {
  private static final int ROWS = 14336;
  private static final int COLUMNS = 4096;
  private static final long WEIGHT_BYTES = 512L << 20;
  private static final int[] TOKENS = {1, 2, 4, 8, 512};
  private static final int WARM_UP_ROUNDS = 10;
  private static final int ROUNDS = 40;
  private static final long ROUND_NANOS = 20_000_000L;

  private final MatrixKernels kernels;
  private final int threads;
  private final ExecutorService executor;
  private final Consumer<String> lines;

  private KernelBenchmark(
      MatrixKernels kernels, int threads, ExecutorService executor, Consumer<String> lines) {
    this.kernels = kernels;
    this.threads = threads;
    this.executor = executor;
    this.lines = lines;
  }

  /// Measures the machine-code kernels: `[THREADS [FORMAT...]]`.
  public static void main(String[] args) {
    PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    int threads =
        args.length > 0 ? Integer.parseInt(args[0]) : Runtime.getRuntime().availableProcessors();
    List<WeightFormat> formats = new ArrayList<>();
    for (int i = 1; i < args.length; i++) {
      formats.add(WeightFormat.valueOf(args[i]));
    }
    if (formats.isEmpty()) {
      formats.addAll(List.of(WeightFormat.values()));
      formats.remove(WeightFormat.F32);
    }
    AssembledKernels.obstacle()
        .ifPresentOrElse(
            out::println,
            () -> run(AssembledKernels.with(new ScalarKernels()), threads, formats, out::println));
  }

  /// Measures `kernels` and passes on one line for each figure.
  public static void run(
      MatrixKernels kernels, int threads, List<WeightFormat> formats, Consumer<String> lines) {
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      KernelBenchmark benchmark = new KernelBenchmark(kernels, threads, executor, lines);
      lines.accept("%s, %d threads, %d x %d".formatted(kernels.name(), threads, ROWS, COLUMNS));
      for (WeightFormat format : formats) {
        benchmark.measure(format);
      }
    }
  }

  private void measure(WeightFormat format) {
    long bytes = kernels.packedBytes(format, ROWS, COLUMNS);
    int copies = Math.toIntExact(Math.ceilDiv(WEIGHT_BYTES, bytes));
    try (Arena arena = Arena.ofShared()) {
      List<PackedMatrix> matrices = pack(format, copies, bytes, arena);
      double read = read(matrices);
      lines.accept("%-5s read %6.1f GB/s".formatted(format, read));
      for (int tokens : TOKENS) {
        products(matrices, tokens, read, arena);
      }
    }
  }

  private List<PackedMatrix> pack(WeightFormat format, int copies, long bytes, Arena arena) {
    long rowBytes = format.rowBytes(COLUMNS);
    MemorySegment rows = arena.allocate(ROWS * rowBytes, 64);
    Random random = new Random(1);
    for (long i = 0; i < rows.byteSize() / Short.BYTES; i++) {
      // As f16 or bf16, between 0.1 and 2 in magnitude; as integers, anything.
      rows.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (0x3000 | (random.nextInt() & 0x8FFF)));
    }
    List<PackedMatrix> matrices = new ArrayList<>();
    for (int copy = 0; copy < copies; copy++) {
      MemorySegment data = arena.allocate(bytes, 64);
      matrices.add(new PackedMatrix(format, ROWS, COLUMNS, data));
    }
    int tiles = PackedMatrix.tiles(ROWS);
    long start = System.nanoTime();
    for (PackedMatrix matrix : matrices) {
      inParallel(
          thread -> {
            for (int tile = share(tiles, thread); tile < share(tiles, thread + 1); tile++) {
              kernels.pack(matrix, tile, row -> rows.asSlice(row * rowBytes, rowBytes));
            }
          });
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    lines.accept("%-5s pack %6.1f GB/s".formatted(format, copies * bytes / seconds / 1e9));
    return matrices;
  }

  private int share(int tiles, int thread) {
    return tiles * thread / threads;
  }

  private void products(List<PackedMatrix> matrices, int tokens, double read, Arena arena) {
    WeightFormat format = matrices.getFirst().format();
    InputFormat inputFormat = kernels.inputFormat(format);
    Random random = new Random(2);
    MemorySegment x = arena.allocate((long) tokens * COLUMNS * Float.BYTES, 64);
    for (long i = 0; i < (long) tokens * COLUMNS; i++) {
      x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    MemorySegment input = arena.allocate(kernels.inputBytes(inputFormat, tokens, COLUMNS), 64);
    double prepare =
        rate(
            _ -> kernels.prepare(inputFormat, x, COLUMNS, tokens, 0, tokens, COLUMNS, input),
            (long) tokens * COLUMNS);
    MemorySegment y = arena.allocate((long) tokens * ROWS * Float.BYTES, 64);
    int tiles = PackedMatrix.tiles(ROWS);
    double products =
        rate(
            round -> {
              PackedMatrix matrix = matrices.get(round % matrices.size());
              inParallel(
                  thread ->
                      kernels.multiply(
                          matrix,
                          share(tiles, thread),
                          share(tiles, thread + 1),
                          input,
                          tokens,
                          y,
                          ROWS));
            },
            1);
    double bandwidth = products * matrices.getFirst().data().byteSize();
    lines.accept(
        "%-5s %3d tokens %7.1f GB/s (%3.0f %% of read) %7.1f GOP/s   prepare %5.2f G/s"
            .formatted(
                format,
                tokens,
                bandwidth,
                100 * bandwidth / read,
                2.0 * ROWS * COLUMNS * tokens * products,
                prepare));
  }

  private double read(List<PackedMatrix> matrices) {
    long bytes = matrices.getFirst().data().byteSize();
    return rate(
        round -> {
          MemorySegment data = matrices.get(round % matrices.size()).data();
          inParallel(
              thread -> {
                long from = bytes * thread / threads / 64 * 64;
                long to = bytes * (thread + 1) / threads / 64 * 64;
                if (sum(data, from, to) == 42) {
                  lines.accept("the answer");
                }
              });
        },
        bytes);
  }

  private static long sum(MemorySegment data, long from, long to) {
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    for (long i = from; i < to; i += 64) {
      a += data.get(ValueLayout.JAVA_LONG, i) ^ data.get(ValueLayout.JAVA_LONG, i + 8);
      b += data.get(ValueLayout.JAVA_LONG, i + 16) ^ data.get(ValueLayout.JAVA_LONG, i + 24);
      c += data.get(ValueLayout.JAVA_LONG, i + 32) ^ data.get(ValueLayout.JAVA_LONG, i + 40);
      d += data.get(ValueLayout.JAVA_LONG, i + 48) ^ data.get(ValueLayout.JAVA_LONG, i + 56);
    }
    return a + b + c + d;
  }

  /// Units per nanosecond, the best of many short rounds: on a shared machine, what the others
  /// leave.
  private static double rate(IntConsumer work, long units) {
    double best = 0;
    int count = 0;
    for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      long start = System.nanoTime();
      long done = 0;
      long end = start;
      while (end - start < ROUND_NANOS) {
        work.accept(count++);
        done += units;
        end = System.nanoTime();
      }
      if (round >= 0) {
        best = Math.max(best, (double) done / (end - start));
      }
    }
    return best;
  }

  private void inParallel(IntConsumer work) {
    List<Future<?>> parts = new ArrayList<>();
    for (int i = 1; i < threads; i++) {
      int thread = i;
      parts.add(executor.submit(() -> work.accept(thread)));
    }
    work.accept(0);
    try {
      for (Future<?> part : parts) {
        part.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a kernel failed", e.getCause());
    }
  }
}
