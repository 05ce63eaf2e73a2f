package moxin.train.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import moxin.train.run.StepMetrics;
import moxin.train.run.ValidationPoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PrometheusFileTest {
  private final AtomicLong clock = new AtomicLong();

  @TempDir private Path directory;

  @Test
  void theFileHasTheLatestNumbersInTheTextFormat() throws IOException {
    Path file = directory.resolve("moxin.prom");
    try (PrometheusFile prometheus = new PrometheusFile(file, "a \"b\"", clock::get)) {
      prometheus.onStep(step(1, 2.5));
      assertThat(Files.readAllLines(file))
          .contains(
              "# TYPE moxin_train_loss gauge",
              "moxin_train_loss{run=\"a \\\"b\\\"\"} 2.5",
              "moxin_train_mfu{run=\"a \\\"b\\\"\"} NaN",
              "# TYPE moxin_train_incidents_total counter",
              "moxin_train_incidents_total{run=\"a \\\"b\\\"\"} 0")
          .allMatch(
              line ->
                  line.matches("# TYPE [a-z_]+ (gauge|counter)")
                      || line.matches("[a-z_]+\\{run=\"([^\"\\\\]|\\\\.)*\"} \\S+"));
      clock.addAndGet(9_000_000_000L);
      prometheus.onStep(step(2, 2.25));
      assertThat(file).content().contains("moxin_train_step{run=\"a \\\"b\\\"\"} 1.0");
      prometheus.onEvaluation(new ValidationPoint(2, "p", 3, null, 1, 0));
      clock.addAndGet(2_000_000_000L);
      prometheus.onStep(step(3, null));
      assertThat(file)
          .content()
          .contains(
              "step{run=\"a \\\"b\\\"\"} 3.0", "heldout_loss", "loss{run=\"a \\\"b\\\"\"} NaN");
      prometheus.onStep(step(4, 2.0));
    }
    assertThat(file).content().contains("moxin_train_step{run=\"a \\\"b\\\"\"} 4.0");
  }

  private static StepMetrics step(long step, @Nullable Double loss) {
    return new StepMetrics(step, "p", loss, 1e-3, 1.0, step, 9, null, 1, 0, null, 1L << 30);
  }
}
