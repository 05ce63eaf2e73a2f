package moxin.train.transformer;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moxin.collective.Communicator;
import moxin.torch.LibTorch;

/// The thread that exchanges memory with the other processes while others compute. What is
/// submitted runs in that order; every process submits the same in the same order.
final class RankLink implements AutoCloseable {
  private final Communicator communicator;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("moxin-link").factory());

  RankLink(Communicator communicator) {
    this.communicator = communicator;
    await(executor.submit(() -> LibTorch.prepareThread(1)));
  }

  Communicator communicator() {
    return communicator;
  }

  /// Work for the thread; throws what it threw when awaited.
  Future<?> submit(Runnable work) {
    return executor.submit(work);
  }

  /// Runs `work` on the thread after all that was submitted.
  void run(Runnable work) {
    await(submit(work));
  }

  static void await(Future<?> work) {
    Completion.of(List.of(work));
  }

  @Override
  public void close() {
    executor.shutdown();
  }
}
