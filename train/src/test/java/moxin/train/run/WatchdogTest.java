package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import moxin.job.Progress;
import moxin.train.recipe.StallAction;
import moxin.train.recipe.StallWatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WatchdogTest {
  private final AtomicLong clock = new AtomicLong();
  private final BlockingQueue<Stall> stalls = new LinkedBlockingQueue<>();

  @TempDir private Path directory;

  @Test
  void aStallIsToldOnceWithAllStacksAndAgainAfterProgress() throws Exception {
    try (Watchdog watchdog = watchdog(0.02)) {
      watchdog.stepTook(0.001);
      pass(0.05);
      Stall stall = stalls.poll(20, TimeUnit.SECONDS);
      assertThat(stall).isNotNull();
      assertThat(stall.action()).isEqualTo(StallAction.ABORT);
      assertThat(stall.step()).isEqualTo(1);
      assertThat(Files.readString(stall.dump()))
          .contains("WatchdogTest.aStallIsToldOnceWithAllStacksAndAgainAfterProgress")
          .contains("\"watchdog\"");
      pass(1);
      assertThat(stalls.poll(100, TimeUnit.MILLISECONDS)).isNull();
      watchdog.beat();
      pass(1);
      assertThat(stalls.poll(20, TimeUnit.SECONDS)).isNotNull();
    }
  }

  @Test
  void nothingIsAStallBeforeTheFirstStepOrDuringAPause() throws Exception {
    try (Watchdog watchdog = watchdog(0.02)) {
      pass(10);
      watchdog.pause();
      watchdog.resume();
      pass(10);
      assertThat(stalls.poll(100, TimeUnit.MILLISECONDS)).isNull();
      watchdog.stepTook(0.001);
      watchdog.pause();
      pass(10);
      assertThat(stalls.poll(100, TimeUnit.MILLISECONDS)).isNull();
      watchdog.resume();
      pass(10);
      assertThat(stalls.poll(20, TimeUnit.SECONDS)).isNotNull();
    }
  }

  @Test
  void theLimitIsAMultipleOfTheMedianStep() {
    try (Watchdog watchdog = watchdog(60)) {
      assertThat(watchdog.limit()).isEqualTo(Duration.ofSeconds(60));
      for (double seconds : new double[] {8, 1000, 9, 7, 10, 0.1, 8}) {
        watchdog.stepTook(seconds);
      }
      assertThat(watchdog.limit()).isEqualTo(Duration.ofSeconds(80));
    }
  }

  private Watchdog watchdog(double seconds) {
    return new Watchdog(
        new StallWatch(seconds, 10.0, StallAction.ABORT),
        directory,
        Progress.silent(),
        stalls::add,
        clock::get);
  }

  private void pass(double seconds) {
    clock.addAndGet((long) (1e9 * seconds));
  }
}
