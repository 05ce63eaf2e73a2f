package moxin.infer.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// The rates of the Vector API tier on all CPUs but for the machine's other work: packing,
/// preparing and products of `(M, 4096)` weights with 1, 8 and 504 tokens.
///
/// One token streams 256 MiB of weights that no cache holds, next to a probe that only reads them;
/// many tokens meet 2048 rows. Figures are medians. Arguments: formats, or none for all.
final class VectorKernelsBenchmark {

  private static final int COLUMNS = 4096;
  private static final long STREAMED = 256L << 20;
  private static final int PEAK_ROUNDS = 20_000_000;
  private static final int THREADS = Integer.getInteger("threads", 2);

  /// Where results go that nobody needs, lest the compiler leave out what computes them.
  private static volatile long sink;

  private final VectorKernels kernels = new VectorKernels();
  private final Random random = new Random(1);

  private VectorKernelsBenchmark() {}

  /// Work on the units `[from, to)`.
  @FunctionalInterface
  private interface Work {
    void run(int from, int to);
  }

  public static void main(String[] arguments) throws InterruptedException {
    List<WeightFormat> formats =
        arguments.length == 0
            ? List.of(WeightFormat.values())
            : Stream.of(arguments).map(WeightFormat::valueOf).toList();
    VectorKernelsBenchmark benchmark = new VectorKernelsBenchmark();
    double peak = 2.0 * VectorWidth.LANES * 10 * PEAK_ROUNDS * THREADS / peakSeconds();
    System.out.printf(
        "%s, %d threads, fp32 FMA peak %.0f GFLOP/s%n",
        benchmark.kernels.name(), THREADS, peak / 1e9);
    System.out.println(
        "format |  pack | prepare x8, x504 |    x1 |  read | x1/read |  x2 |  x4 |  x8 | x504"
            + " GOP/s");
    System.out.println("       |  GB/s |       M floats/s |  GB/s |  GB/s |         | GOP/s");
    for (WeightFormat format : formats) {
      benchmark.measure(format);
    }
  }

  private void measure(WeightFormat format) throws InterruptedException {
    int rows = (int) (STREAMED / format.rowBytes(COLUMNS) / 64 * 64);
    try (Arena arena = Arena.ofShared();
        KernelCase file = new KernelCase(format, 2048, COLUMNS, 504).random(random)) {
      long bytes = kernels.packedBytes(format, rows, COLUMNS);
      PackedMatrix weights = new PackedMatrix(format, rows, COLUMNS, arena.allocate(bytes, 64));
      long rowBytes = format.rowBytes(COLUMNS);
      double pack =
          rows
              * rowBytes
              / seconds(
                  3,
                  weights.tiles(),
                  1,
                  (from, to) -> {
                    for (int tile = from; tile < to; tile++) {
                      kernels.pack(
                          weights, tile, row -> file.file.asSlice(row % 2048 * rowBytes, rowBytes));
                    }
                  });
      MemorySegment y = arena.allocate(4L * rows, 64);
      InputFormat inputs = kernels.inputFormat(format);
      MemorySegment input = arena.allocate(kernels.inputBytes(inputs, 504, COLUMNS), 64);
      kernels.prepare(inputs, file.x, file.xStride, 1, 0, 1, COLUMNS, input);
      multiply(weights, input, 1, y, rows, 2, 10);
      double[] decode = new double[30];
      double[] read = new double[30];
      for (int i = 0; i < 30; i++) {
        decode[i] = multiply(weights, input, 1, y, rows, 2, 1);
        read[i] = read(weights);
      }
      double gemv = bytes / median(decode);
      double probe = bytes / median(read);
      PackedMatrix part = new PackedMatrix(format, 2048, COLUMNS, weights.data());
      MemorySegment outputs = arena.allocate(4L * 504 * 2064, 64);
      double[] rates = new double[4];
      double[] prepare = new double[4];
      int[] counts = {2, 4, 8, 504};
      for (int i = 0; i < 4; i++) {
        int tokens = counts[i];
        int groups = (tokens + 11) / 12;
        prepare[i] =
            (double) tokens
                * COLUMNS
                / seconds(
                    tokens == 504 ? 40 : 4000,
                    groups,
                    1,
                    (from, to) -> {
                      kernels.prepare(
                          inputs,
                          file.x,
                          file.xStride,
                          tokens,
                          from * 12,
                          Math.min(to * 12, tokens),
                          COLUMNS,
                          input);
                    });
        double operations = 2.0 * tokens * 2048 * COLUMNS;
        rates[i] =
            operations / multiply(part, input, tokens, outputs, 2064, 2, tokens == 504 ? 12 : 400);
      }
      System.out.printf(
          "%-6s | %5.2f | %7.0f, %7.0f | %5.1f | %5.1f | %7.2f | %3.0f | %3.0f | %3.0f | %4.0f%n",
          format,
          pack / 1e9,
          prepare[2] / 1e6,
          prepare[3] / 1e6,
          gemv / 1e9,
          probe / 1e9,
          gemv / probe,
          rates[0] / 1e9,
          rates[1] / 1e9,
          rates[2] / 1e9,
          rates[3] / 1e9);
    }
  }

  private static double peakSeconds() throws InterruptedException {
    return seconds(9, THREADS, 1, (from, to) -> sink = (long) peak(PEAK_ROUNDS));
  }

  /// Ten independent chains of fused multiply-adds, more than any CPU needs to hide their latency.
  private static float peak(int rounds) {
    FloatVector x = FloatVector.broadcast(VectorWidth.FLOATS, 0.5f);
    FloatVector a = x;
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    FloatVector e = a;
    FloatVector f = a;
    FloatVector g = a;
    FloatVector h = a;
    FloatVector i = a;
    FloatVector j = a;
    for (int round = 0; round < rounds; round++) {
      a = a.fma(x, x);
      b = b.fma(x, x);
      c = c.fma(x, x);
      d = d.fma(x, x);
      e = e.fma(x, x);
      f = f.fma(x, x);
      g = g.fma(x, x);
      h = h.fma(x, x);
      i = i.fma(x, x);
      j = j.fma(x, x);
    }
    return a.add(b)
        .add(c.add(d))
        .add(e.add(f))
        .add(g.add(h))
        .add(i.add(j))
        .reduceLanes(VectorOperators.ADD);
  }

  private double multiply(
      PackedMatrix weights,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride,
      int tiles,
      int repetitions)
      throws InterruptedException {
    return seconds(
        repetitions,
        weights.tiles(),
        tiles,
        (from, to) -> {
          kernels.multiply(weights, from, to, input, tokens, y, yStride);
        });
  }

  private static double read(PackedMatrix weights) throws InterruptedException {
    long tileBytes = weights.data().byteSize() / weights.tiles();
    return seconds(
        1,
        weights.tiles(),
        1,
        (from, to) -> sink = sum(weights.data(), from * tileBytes, to * tileBytes));
  }

  private static long sum(MemorySegment data, long from, long to) {
    IntVector a = IntVector.zero(VectorWidth.INTS);
    IntVector b = a;
    for (long at = from; at < to; at += 2L * VectorWidth.BYTES) {
      a = a.add(IntVector.fromMemorySegment(VectorWidth.INTS, data, at, VectorWidth.ORDER));
      b =
          b.add(
              IntVector.fromMemorySegment(
                  VectorWidth.INTS, data, at + VectorWidth.BYTES, VectorWidth.ORDER));
    }
    return a.add(b).reduceLanes(VectorOperators.ADD);
  }

  /// The median seconds of `repetitions` runs of `[0, units)` split evenly among the threads, at
  /// borders that `multiple` divides.
  private static double seconds(int repetitions, int units, int multiple, Work work)
      throws InterruptedException {
    double[] seconds = new double[repetitions];
    CyclicBarrier barrier = new CyclicBarrier(THREADS);
    List<Thread> threads =
        IntStream.range(0, THREADS)
            .mapToObj(
                thread ->
                    Thread.ofPlatform()
                        .start(
                            () -> {
                              long from = (long) units * thread / THREADS / multiple * multiple;
                              long to = (long) units * (thread + 1) / THREADS;
                              to = thread == THREADS - 1 ? units : to / multiple * multiple;
                              for (int run = 0; run < repetitions; run++) {
                                await(barrier);
                                long start = System.nanoTime();
                                work.run((int) from, (int) to);
                                await(barrier);
                                if (thread == 0) {
                                  seconds[run] = (System.nanoTime() - start) / 1e9;
                                }
                              }
                            }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    return median(seconds);
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
