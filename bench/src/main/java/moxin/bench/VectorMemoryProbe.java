package moxin.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// How fast this machine reads memory: every thread sums its share of a buffer far larger than the
/// caches. The limit of decoding, which reads all weights for every token.
public final class VectorMemoryProbe implements AutoCloseable {
  private static final long SHARE_BYTES = 256L << 20;
  private static final int PASSES = 4;
  private static final long WARM_UP_BYTES = 64 << 10;
  private static final long WARM_UP_NANOS = 1_500_000_000L;
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;

  private final Arena arena = Arena.ofShared();
  private final ExecutorService executor;
  private final List<MemorySegment> shares = new ArrayList<>();

  /// Kept, so that the loops before the first measurement are not in vain.
  private long warmUpSum;

  /// A probe on `threads` threads, with 256 MiB for each.
  @SuppressWarnings("MustBeClosedChecker")
  public VectorMemoryProbe(int threads) {
    executor = Executors.newFixedThreadPool(threads);
    for (int i = 0; i < threads; i++) {
      shares.add(arena.allocate(SHARE_BYTES, 64).fill((byte) (i + 1)));
    }
    long start = System.nanoTime();
    while (System.nanoTime() - start < WARM_UP_NANOS) {
      warmUpSum += onePass(shares.getFirst(), WARM_UP_BYTES);
    }
  }

  /// Bytes per second over all threads.
  public double bytesPerSecond() {
    long start = System.nanoTime();
    List<Future<Long>> sums = new ArrayList<>();
    for (MemorySegment share : shares) {
      sums.add(executor.submit(() -> sum(share)));
    }
    long total = 0;
    for (Future<Long> sum : sums) {
      total += await(sum);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    if (total == 0 || warmUpSum == 0) {
      throw new IllegalStateException("the buffer lost its contents");
    }
    return PASSES * SHARE_BYTES * shares.size() / seconds;
  }

  private static long await(Future<Long> sum) {
    try {
      return sum.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a reading thread failed", e.getCause());
    }
  }

  private static long sum(MemorySegment share) {
    long sum = 0;
    for (int pass = 0; pass < PASSES; pass++) {
      sum += onePass(share, SHARE_BYTES);
    }
    return sum;
  }

  private static long onePass(MemorySegment share, long bytes) {
    int step = LONGS.vectorByteSize();
    LongVector a = LongVector.zero(LONGS);
    LongVector b = a;
    LongVector c = a;
    LongVector d = a;
    for (long at = 0; at < bytes; at += 4L * step) {
      a = a.add(LongVector.fromMemorySegment(LONGS, share, at, ByteOrder.LITTLE_ENDIAN));
      b = b.add(LongVector.fromMemorySegment(LONGS, share, at + step, ByteOrder.LITTLE_ENDIAN));
      c =
          c.add(
              LongVector.fromMemorySegment(LONGS, share, at + 2L * step, ByteOrder.LITTLE_ENDIAN));
      d =
          d.add(
              LongVector.fromMemorySegment(LONGS, share, at + 3L * step, ByteOrder.LITTLE_ENDIAN));
    }
    return a.add(b).add(c.add(d)).reduceLanes(VectorOperators.ADD);
  }

  @Override
  public void close() {
    executor.shutdown();
    arena.close();
  }
}
