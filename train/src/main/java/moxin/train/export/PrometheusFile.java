package moxin.train.export;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import moxin.job.AtomicFile;
import moxin.train.run.Incident;
import moxin.train.run.StepMetrics;
import moxin.train.run.TaskPoint;
import moxin.train.run.TrainingObserver;
import moxin.train.run.ValidationPoint;

/// Keeps the latest numbers of a run in a file in Prometheus's text format, version 0.0.4, for
/// node_exporter's textfile collector. The file is replaced as a whole, at most every ten seconds,
/// and once more at the end.
///
/// See <https://prometheus.io/docs/instrumenting/exposition_formats/>.
public final class PrometheusFile implements TrainingObserver, AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(10);

  private final Path file;
  private final String label;
  private final LongSupplier nanoClock;
  private final Map<String, Double> gauges = new TreeMap<>();
  private long incidents;
  private long due;

  /// @param file whose name ends in `.prom` for the collector to see it
  /// @param run names the run in the label `run`
  public PrometheusFile(Path file, String run) {
    this(file, run, System::nanoTime);
  }

  PrometheusFile(Path file, String run, LongSupplier nanoClock) {
    this.file = file;
    this.label =
        "{run=\"" + run.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"} ";
    this.nanoClock = nanoClock;
    this.due = nanoClock.getAsLong();
  }

  @Override
  public void onStep(StepMetrics metrics) {
    gauges.put("step", (double) metrics.step());
    gauges.put("learning_rate", metrics.lr());
    gauges.put("tokens", (double) metrics.tokens());
    gauges.put("tokens_per_second", metrics.tokensPerSecond());
    gauges.put("seconds", metrics.seconds());
    put("loss", metrics.loss());
    put("gradient_norm", metrics.gradNorm());
    put("mfu", metrics.mfu());
    Long bytes = metrics.residentBytes();
    put("resident_bytes", bytes == null ? null : (Double) bytes.doubleValue());
    long now = nanoClock.getAsLong();
    if (now - due >= 0) {
      due = now + PAUSE.toNanos();
      write();
    }
  }

  @Override
  public void onEvaluation(ValidationPoint point) {
    gauges.put("heldout_loss", point.loss());
  }

  @Override
  public void onTask(TaskPoint point) {
    point
        .scalars()
        .forEach((name, value) -> gauges.put(name.replaceAll("[^a-zA-Z0-9_]", "_"), value));
  }

  @Override
  public void onIncident(Incident incident) {
    incidents++;
  }

  /// Writes the last numbers.
  @Override
  public void close() {
    if (!gauges.isEmpty()) {
      write();
    }
  }

  private void put(String name, @org.jspecify.annotations.Nullable Double value) {
    gauges.put(name, value == null ? Double.NaN : value);
  }

  private void write() {
    StringBuilder text = new StringBuilder();
    gauges.forEach((name, value) -> append(text, name, "gauge", Double.toString(value)));
    append(text, "incidents_total", "counter", Long.toString(incidents));
    try {
      AtomicFile.write(file, text.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void append(StringBuilder text, String name, String type, String value) {
    String full = "moxin_train_" + name;
    text.append("# TYPE ").append(full).append(' ').append(type).append('\n');
    text.append(full).append(label).append(value).append('\n');
  }
}
