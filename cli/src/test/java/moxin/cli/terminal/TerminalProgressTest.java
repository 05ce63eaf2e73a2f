package moxin.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import moxin.job.Progress;
import org.junit.jupiter.api.Test;

class TerminalProgressTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private final AtomicLong nanos = new AtomicLong();

  @Test
  void aBarShowsShareRateAndTimeLeft() {
    Progress progress = new TerminalProgress(out, true, 120, nanos::get);
    try (Progress.Task task = progress.start("Tokenise", 1000, "tokens")) {
      nanos.addAndGet(Duration.ofSeconds(2).toNanos());
      task.advance(250);
      assertThat(text()).contains("25% ", "250 tokens", "125 tokens/s", "6.0 s left", "█████░");
    }
    assertThat(text()).contains("250 tokens in 2.0 s");
  }

  @Test
  void withoutATerminalNothingIsRedrawn() {
    Progress progress = new TerminalProgress(out, false, 0, nanos::get);
    try (Progress.Task task = progress.start("Tokenise", 100, "tokens")) {
      for (int i = 0; i < 100; i++) {
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        task.advance(1);
      }
    }
    assertThat(text()).doesNotContain("\r");
    assertThat(text().lines().count()).isBetween(4L, 9L);
  }

  @Test
  void aNoteDoesNotMixWithTheBar() {
    Progress progress = new TerminalProgress(out, true, 120, nanos::get);
    try (Progress.Task task = progress.start("Train", 10, "steps")) {
      progress.note("checkpoint written");
      task.advance(1);
    }
    assertThat(text()).contains("\rcheckpoint written\n");
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
