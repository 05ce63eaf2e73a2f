package moxin.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path directory;

  @Test
  void replacesTheContent() throws IOException {
    Path file = directory.resolve("deep/file.txt");
    AtomicFile.write(file, "one");
    AtomicFile.write(file, "two");
    assertThat(file).hasContent("two");
  }

  @Test
  void aFailureKeepsTheOldContentAndLeavesNothingBeside() throws IOException {
    Path file = directory.resolve("file.txt");
    AtomicFile.write(file, "old");
    assertThatThrownBy(
            () ->
                AtomicFile.write(
                    file,
                    channel -> {
                      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
                      throw new IOException("disk full");
                    }))
        .isInstanceOf(IOException.class)
        .hasMessage(file + ": disk full");
    assertThat(file).hasContent("old");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void whatAKilledProcessLeftBesideIsRemoved() throws IOException {
    Path left = Files.writeString(directory.resolve(".a.txt.partial-999999999"), "half");
    AtomicFile.write(directory.resolve("a.txt"), "whole");
    assertThat(left).doesNotExist();
  }
}
