package moxin.data.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moxin.job.AtomicDirectory;
import moxin.job.Leftovers;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/// A running Spark: inside this process by default, or any master. Close it; only one can be open
/// in a process.
public final class SparkRuntime implements AutoCloseable {
  private static final String SCRATCH = ".spark-";

  private final JavaSparkContext context;
  private final Path scratch;

  private SparkRuntime(JavaSparkContext context, Path scratch) {
    this.context = context;
    this.scratch = scratch;
  }

  /// Starts Spark in this process on all its processors, bound to the loopback address.
  ///
  /// @param work where temporary files may grow; they are removed on closing
  public static SparkRuntime local(Path work) throws IOException {
    return connect("local[*]", work);
  }

  /// Starts Spark's driver for `master`, such as `local[4]` or `spark://host:7077`. A cluster must
  /// see inputs and outputs under the same paths as the driver.
  public static SparkRuntime connect(String master, Path work) throws IOException {
    Path folder = Files.createDirectories(work.toAbsolutePath());
    Leftovers.remove(folder, SCRATCH);
    Path scratch = Files.createDirectories(folder.resolve(SCRATCH + ProcessHandle.current().pid()));
    SparkConf conf =
        new SparkConf(true)
            .setAppName("moxin")
            .setMaster(master)
            .set("spark.ui.enabled", "false")
            .set("spark.local.dir", scratch.toString())
            .set("spark.sql.warehouse.dir", scratch.resolve("warehouse").toUri().toString())
            .set("spark.sql.catalogImplementation", "in-memory");
    if (master.startsWith("local")) {
      conf.set("spark.driver.bindAddress", "127.0.0.1").set("spark.driver.host", "127.0.0.1");
    }
    return new SparkRuntime(new JavaSparkContext(conf), scratch);
  }

  JavaSparkContext context() {
    return context;
  }

  @Override
  public void close() throws IOException {
    context.close();
    AtomicDirectory.deleteTree(scratch);
  }
}
