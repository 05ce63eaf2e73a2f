package moxin.model.gguf;

import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Threads that share the rows of a tensor.
final class RowWorkers implements AutoCloseable {
  private final int threads;
  private final ExecutorService executor;

  RowWorkers(int threads) {
    this.threads = threads;
    this.executor =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("rows-", 0).factory());
  }

  /// What is done with some rows.
  @FunctionalInterface
  interface Work {
    void run(long from, long to);
  }

  /// Does `work` on rows `[0, rows)`, each once; returns when all are done.
  ///
  /// @throws InterruptedIOException if the thread is interrupted meanwhile
  void run(long rows, Work work) throws InterruptedIOException {
    long slice = Math.max(1, (rows + 4L * threads - 1) / (4L * threads));
    List<Callable<Boolean>> tasks = new ArrayList<>();
    for (long from = 0; from < rows; from += slice) {
      long first = from;
      tasks.add(
          () -> {
            work.run(first, Math.min(rows, first + slice));
            return true;
          });
    }
    try {
      for (Future<Boolean> future : executor.invokeAll(tasks)) {
        future.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while converting");
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException("rows threw a checked exception", e);
      }
    }
  }

  @Override
  public void close() {
    executor.shutdownNow();
    executor.close();
  }
}
