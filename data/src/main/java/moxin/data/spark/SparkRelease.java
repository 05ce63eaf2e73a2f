package moxin.data.spark;

/// The Spark that corpora are prepared with.
public final class SparkRelease {

  private SparkRelease() {}

  /// Such as `4.2.0`.
  public static String version() {
    return org.apache.spark.package$.MODULE$.SPARK_VERSION();
  }
}
