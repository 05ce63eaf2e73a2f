package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import moxin.job.AtomicFile;
import moxin.job.Progress;
import moxin.train.recipe.StallWatch;

/// Watches a run for steps that do not end. When nothing has happened for longer than the recipe
/// allows, it writes the stacks of all threads into the run directory, says so once, and tells its
/// listener. Begins with the end of the first step; does not watch what it is told to wait for.
///
/// [#beat], [#stepTook], [#pause] and [#resume] are for the training thread.
final class Watchdog implements AutoCloseable {
  private static final int MEDIAN_OF = 33;

  private final StallWatch recipe;
  private final Path directory;
  private final Progress progress;
  private final Consumer<Stall> listener;
  private final LongSupplier nanoClock;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("watchdog").factory());
  private final Deque<Double> times = new ArrayDeque<>();

  private long steps;
  private long lastBeat;
  private boolean paused = true;
  private boolean told;

  /// @param directory of the run
  /// @param listener called on the watchdog's thread
  /// @param nanoClock as [System#nanoTime]
  Watchdog(
      StallWatch recipe,
      Path directory,
      Progress progress,
      Consumer<Stall> listener,
      LongSupplier nanoClock) {
    this.recipe = recipe;
    this.directory = directory;
    this.progress = progress;
    this.listener = listener;
    this.nanoClock = nanoClock;
    if (recipe.seconds() > 0) {
      long period = Math.max(1, Math.min(1000, (long) (250 * recipe.seconds())));
      var _ = thread.scheduleWithFixedDelay(this::look, period, period, TimeUnit.MILLISECONDS);
    }
  }

  /// A sign of progress.
  synchronized void beat() {
    lastBeat = nanoClock.getAsLong();
    told = false;
  }

  /// A step is done that took `seconds`.
  synchronized void stepTook(double seconds) {
    if (times.size() == MEDIAN_OF) {
      times.removeFirst();
    }
    times.addLast(seconds);
    steps++;
    paused = false;
    beat();
  }

  /// What follows may take as long as it likes, until [#resume].
  synchronized void pause() {
    paused = true;
  }

  /// Watches again, once a step is done.
  synchronized void resume() {
    paused = steps == 0;
    beat();
  }

  /// How long a run may be silent.
  synchronized Duration limit() {
    double median = times.stream().sorted().skip(times.size() / 2).findFirst().orElse(0.0);
    return Duration.ofNanos((long) (1e9 * Math.max(recipe.seconds(), recipe.factor() * median)));
  }

  private void look() {
    Duration silence;
    long done;
    synchronized (this) {
      silence = Duration.ofNanos(nanoClock.getAsLong() - lastBeat);
      if (paused || told || silence.compareTo(limit()) <= 0) {
        return;
      }
      told = true;
      done = steps;
    }
    Path dump = directory.resolve("stall-" + ProcessHandle.current().pid() + "-" + done + ".txt");
    String line =
        String.format(
            Locale.ROOT,
            "no progress for %.0f s after %d steps of this process; stacks in %s",
            silence.toMillis() / 1e3,
            done,
            dump);
    try {
      AtomicFile.write(dump, ThreadDump.take());
      progress.note(line);
    } catch (IOException e) {
      progress.note(line + ", which could not be written: " + e.getMessage());
    }
    listener.accept(new Stall(done, silence, dump, recipe.action()));
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
