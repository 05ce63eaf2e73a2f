package moxin.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicDirectoryTest {
  @TempDir Path parent;

  @Test
  void appearsOnCommit() throws IOException {
    Path target = parent.resolve("artefact");
    try (AtomicDirectory directory = AtomicDirectory.open(target)) {
      Files.writeString(directory.path().resolve("a"), "1");
      assertThat(target).doesNotExist();
      directory.commit();
    }
    assertThat(target.resolve("a")).hasContent("1");
  }

  @Test
  void withoutCommitNothingIsLeft() throws IOException {
    try (AtomicDirectory directory = AtomicDirectory.open(parent.resolve("artefact"))) {
      Files.writeString(directory.path().resolve("a"), "1");
    }
    assertThat(parent).isEmptyDirectory();
  }

  @Test
  void commitReplacesTheWholeDirectory() throws IOException {
    Path target = parent.resolve("artefact");
    write(target, "old");
    write(target, "new");
    assertThat(target.resolve("old")).doesNotExist();
    assertThat(target.resolve("new")).exists();
    assertThat(parent.toFile().list()).containsExactly("artefact");
  }

  @Test
  void leftoversOfAKilledProcessAreRemoved() throws IOException {
    Files.createDirectories(parent.resolve(".artefact.partial-999999999/deep"));
    write(parent.resolve("artefact"), "a");
    assertThat(parent.toFile().list()).containsExactly("artefact");
  }

  @Test
  void whatAnotherRunningProcessIsWritingStays() throws IOException {
    long other = ProcessHandle.current().parent().orElseThrow().pid();
    Path growing = Files.createDirectories(parent.resolve(".artefact.partial-" + other));
    write(parent.resolve("artefact"), "a");
    assertThat(growing).exists();
  }

  @Test
  void aDirectorySetAsideByAKilledProcessIsPutBack() throws IOException {
    Path target = parent.resolve("artefact");
    write(target, "a");
    Files.move(target, parent.resolve(".artefact.partial-old"));
    AtomicDirectory.open(target).close();
    assertThat(target.resolve("a")).exists();
  }

  private static void write(Path target, String name) throws IOException {
    try (AtomicDirectory directory = AtomicDirectory.open(target)) {
      Files.writeString(directory.path().resolve(name), "x");
      directory.commit();
    }
  }
}
