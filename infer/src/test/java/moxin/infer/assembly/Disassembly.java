package moxin.infer.assembly;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Machine code as binutils' objdump reads it.
final class Disassembly {
  private static final Path OBJDUMP = Path.of("/usr/bin/objdump");

  private Disassembly() {}

  /// Why there is no disassembler.
  static Optional<String> obstacle() {
    return Files.isExecutable(OBJDUMP) ? Optional.empty() : Optional.of("no " + OBJDUMP);
  }

  /// One instruction a line, blanks collapsed.
  static List<String> of(byte[] code, Path directory) {
    Path file = directory.resolve("code.bin");
    try {
      Files.write(file, code);
      Process process =
          new ProcessBuilder(
                  OBJDUMP.toString(),
                  "-D",
                  "--no-show-raw-insn",
                  "-b",
                  "binary",
                  "-m",
                  "i386:x86-64",
                  "-M",
                  "intel",
                  file.toString())
              .redirectErrorStream(true)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException("objdump: " + output);
      }
      return output
          .lines()
          .filter(line -> line.matches(" +[0-9a-f]+:\t.*"))
          .map(line -> line.substring(line.indexOf('\t') + 1).strip().replaceAll("\\s+", " "))
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException("objdump cannot run", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
