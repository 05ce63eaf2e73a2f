package moxin.train.report;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.train.run.StepMetrics;
import moxin.train.run.TaskPoint;
import moxin.train.run.TrainingObserver;
import moxin.train.run.ValidationPoint;
import org.jspecify.annotations.Nullable;

/// Writes the report of a run while it grows, on a thread of its own: after the first step, then
/// every minute, and more seldom where that would take more than a hundredth of the time. A report
/// that cannot be written is noted and does not end the run.
public final class LiveReport implements TrainingObserver, AutoCloseable {
  private static final Duration PAUSE = Duration.ofMinutes(1);
  private static final int SHARE = 100;

  private final Path run;
  private final Progress progress;
  private final LongSupplier nanoClock;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("live-report").factory());
  private @Nullable Future<Long> writing;
  private long due;

  /// @param run its directory
  public LiveReport(Path run, Progress progress) {
    this(run, progress, System::nanoTime);
  }

  LiveReport(Path run, Progress progress, LongSupplier nanoClock) {
    this.run = run;
    this.progress = progress;
    this.nanoClock = nanoClock;
    this.due = nanoClock.getAsLong();
  }

  @Override
  public void onStep(StepMetrics metrics) {
    long now = nanoClock.getAsLong();
    Future<Long> last = writing;
    if (last != null && last.isDone()) {
      due = now + Math.max(PAUSE.toNanos(), SHARE * last.resultNow());
      writing = null;
    }
    if (writing == null && now - due >= 0) {
      writing = thread.submit(this::write);
    }
  }

  @Override
  public void onEvaluation(ValidationPoint point) {
    writeNow();
  }

  @Override
  public void onTask(TaskPoint point) {
    writeNow();
  }

  private void writeNow() {
    if (writing == null) {
      writing = thread.submit(this::write);
    }
  }

  /// Writes the report and returns the nanoseconds it took.
  private long write() {
    long begin = nanoClock.getAsLong();
    try {
      RunReport.write(run);
    } catch (IOException | BadInputException e) {
      // Files come and go under a run; the next report may find them whole.
      progress.note("the report could not be written: " + e.getMessage());
    }
    return nanoClock.getAsLong() - begin;
  }

  /// Lets the last report be written.
  @Override
  public void close() {
    thread.close();
  }
}
