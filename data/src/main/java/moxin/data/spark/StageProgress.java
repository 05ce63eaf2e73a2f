package moxin.data.spark;

import java.io.IOException;
import java.util.Map;
import java.util.Objects;
import moxin.job.Progress;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.jspecify.annotations.Nullable;

/// Reports the tasks of Spark jobs as progress and measures how long each stage of the preparation
/// takes.
final class StageProgress extends SparkListener implements AutoCloseable {
  private final JavaSparkContext spark;
  private final Progress progress;
  private final Map<String, Double> seconds;
  private String label = "";
  private Progress.@Nullable Task task;

  StageProgress(JavaSparkContext spark, Progress progress, Map<String, Double> seconds) {
    this.spark = spark;
    this.progress = progress;
    this.seconds = seconds;
    spark.sc().addSparkListener(this);
  }

  /// Work that runs Spark jobs.
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  /// Runs one stage of the preparation.
  ///
  /// @param name its name in the report
  <T> T run(String stageLabel, String name, Work<T> work) throws IOException {
    long start = System.nanoTime();
    synchronized (this) {
      label = stageLabel;
    }
    try {
      return work.run();
    } finally {
      finish();
      double elapsed = (System.nanoTime() - start) / 1e9;
      seconds.merge(name, Math.round(elapsed * 1000) / 1000.0, Double::sum);
    }
  }

  @Override
  public synchronized void onStageSubmitted(SparkListenerStageSubmitted submitted) {
    finish();
    if (!label.isEmpty()) {
      task = progress.start(label, submitted.stageInfo().numTasks(), "tasks");
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    if (task != null) {
      Objects.requireNonNull(task).advance(1);
    }
  }

  private synchronized void finish() {
    if (task != null) {
      Objects.requireNonNull(task).close();
      task = null;
    }
  }

  @Override
  public void close() {
    spark.sc().removeSparkListener(this);
    finish();
  }
}
