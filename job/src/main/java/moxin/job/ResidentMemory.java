package moxin.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/// The physical memory of this process, as Linux tells it.
public final class ResidentMemory {
  private static final Path STATUS = Path.of("/proc/self/status");

  private ResidentMemory() {}

  /// In bytes; empty where the system does not tell.
  public static OptionalLong bytes() {
    return read("VmRSS:");
  }

  /// The most it ever was, in bytes; empty where the system does not tell.
  public static OptionalLong peakBytes() {
    return read("VmHWM:");
  }

  private static OptionalLong read(String key) {
    if (!Files.isReadable(STATUS)) {
      return OptionalLong.empty();
    }
    try {
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith(key))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("[^0-9]", "")))
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty(); // a number to look at, which nothing depends on
    }
  }
}
