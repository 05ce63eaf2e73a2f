package moxin.train.loader;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moxin.train.loader.Loader.Loaded;

/// Reads batches ahead on threads of its own. Which rows a batch has is decided in order by the
/// thread that asks; the others only read them, so that batches do not depend on their number.
public final class Prefetch implements AutoCloseable {
  private static final int DEPTH = 4;

  private final Loader loader;
  private final ExecutorService readers;
  private final Deque<Future<Loaded>> ahead = new ArrayDeque<>();

  /// Takes over `loader`, and reads on one thread.
  public Prefetch(Loader loader) {
    this(loader, 1);
  }

  /// Takes over `loader`, and reads on `threads` threads.
  public Prefetch(Loader loader, int threads) {
    this.loader = loader;
    this.readers =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("loader-", 0).factory());
    for (int i = 0; i < DEPTH + threads - 1; i++) {
      readAhead();
    }
  }

  private void readAhead() {
    loader.draw().ifPresent(draw -> ahead.add(readers.submit(() -> loader.load(draw))));
  }

  /// The next micro-batch.
  ///
  /// @throws moxin.job.BadInputException if the sources have no more rows for one
  /// @throws InterruptedException if interrupted while waiting for it
  public Loaded next() throws InterruptedException {
    readAhead();
    if (ahead.isEmpty()) {
      throw loader.exhausted();
    }
    try {
      return ahead.remove().get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException("a loader throws nothing else", e);
      }
    }
  }

  @Override
  public void close() {
    readers.close();
  }
}
