package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import moxin.torch.LibTorch;

/// Threads that run the parts of a step. Which thread runs which part is left to chance; results
/// must not depend on it.
final class SliceThreads implements AutoCloseable {
  private final ExecutorService executor;
  private final int threads;
  private final int threadsPerOperator;

  SliceThreads(int threads, int threadsPerOperator) {
    this.threads = threads;
    this.threadsPerOperator = threadsPerOperator;
    AtomicInteger number = new AtomicInteger();
    executor =
        Executors.newFixedThreadPool(
            threads,
            task ->
                Thread.ofPlatform()
                    .name("moxin-slice-" + number.getAndIncrement())
                    .daemon()
                    .unstarted(task));
  }

  /// A part of some work.
  interface Part {
    /// Runs part `index`; no two parts run at once with the same `worker`.
    void run(int index, int worker);
  }

  int threads() {
    return threads;
  }

  /// Runs parts `[0, count)` and returns when all are done; throws what a part threw.
  void run(int count, Part part) {
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> workers = new ArrayList<>();
    for (int w = 0; w < Math.min(threads, count); w++) {
      int worker = w;
      workers.add(
          executor.submit(
              () -> {
                LibTorch.prepareThread(threadsPerOperator);
                for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                  part.run(i, worker);
                }
              }));
    }
    Completion.of(workers);
  }

  @Override
  public void close() {
    executor.close();
  }
}
