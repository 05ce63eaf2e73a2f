package moxin.infer.schedule;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/// Runs each task on a virtual thread of its own, from [#flush] on. For one thread, which starts
/// one thread for all its tasks of a step: waking another for each would cost it more than the
/// step's bookkeeping.
final class Handoff implements Executor {
  private List<Runnable> tasks = new ArrayList<>();

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  /// Starts what was given since the last time.
  void flush() {
    if (!tasks.isEmpty()) {
      List<Runnable> given = tasks;
      tasks = new ArrayList<>();
      start(() -> given.forEach(Handoff::start));
    }
  }

  private static void start(Runnable task) {
    Thread.ofVirtual().name("moxin-events").start(task);
  }
}
