package moxin.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The resident memory of this process.
final class ResidentMemory {
  private static final Path STATUS = Path.of("/proc/self/status");

  private ResidentMemory() {}

  /// In bytes; 0 where the system does not tell.
  static long bytes() throws IOException {
    return read("VmRSS:");
  }

  /// The most it ever was, in bytes; 0 where the system does not tell.
  static long peakBytes() throws IOException {
    return read("VmHWM:");
  }

  private static long read(String key) throws IOException {
    if (!Files.isReadable(STATUS)) {
      return 0;
    }
    return Files.readAllLines(STATUS).stream()
        .filter(line -> line.startsWith(key))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElse(0);
  }
}
