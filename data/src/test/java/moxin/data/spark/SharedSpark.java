package moxin.data.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/// One Spark for all tests of this module: starting it takes seconds.
final class SharedSpark {
  private static final SparkRuntime RUNTIME = start();

  private SharedSpark() {}

  static SparkRuntime runtime() {
    return RUNTIME;
  }

  private static SparkRuntime start() {
    try {
      SparkRuntime runtime = SparkRuntime.connect("local[2]", Path.of("target", "spark"));
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    try {
                      runtime.close();
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  }));
      return runtime;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
