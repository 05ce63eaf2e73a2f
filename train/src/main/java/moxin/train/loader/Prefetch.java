package moxin.train.loader;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moxin.train.loader.Loader.Loaded;

/// Reads batches ahead on a thread of its own. One thread fills them in order, so they are those of
/// the loader alone.
public final class Prefetch implements AutoCloseable {
  private static final int DEPTH = 4;

  private final Loader loader;
  private final ExecutorService reader =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("loader").factory());
  private final Deque<Future<Loaded>> ahead = new ArrayDeque<>();

  /// Takes over `loader`.
  public Prefetch(Loader loader) {
    this.loader = loader;
    for (int i = 0; i < DEPTH; i++) {
      ahead.add(reader.submit(loader::next));
    }
  }

  /// The next micro-batch.
  ///
  /// @throws InterruptedException if interrupted while waiting for it
  public Loaded next() throws InterruptedException {
    ahead.add(reader.submit(loader::next));
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
    reader.close();
  }
}
