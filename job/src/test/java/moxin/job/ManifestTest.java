package moxin.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
  @TempDir Path directory;

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Files.writeString(directory.resolve("a.txt"), "abc");
    Files.createDirectory(directory.resolve("sub"));
    Files.writeString(directory.resolve("sub/b.txt"), "");
    Manifest written =
        Manifest.write(directory, "corpus", null, List.of(new Manifest.Entry("src.zip", "00", 5)));
    Manifest read = Manifest.read(directory);
    assertThat(read).isEqualTo(written);
    assertThat(read.outputs())
        .extracting(Manifest.Entry::name)
        .containsExactly("a.txt", "sub/b.txt");
    // NIST's example for SHA-256 of "abc"
    assertThat(read.outputs().getFirst().sha256())
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assertThat(read.differences(directory)).isEmpty();
  }

  @Test
  void changedAndMissingFilesAreNamed() throws IOException {
    Files.writeString(directory.resolve("a"), "1");
    Files.writeString(directory.resolve("b"), "2");
    Manifest manifest = Manifest.write(directory, "x", null, List.of());
    Files.writeString(directory.resolve("a"), "changed");
    Files.delete(directory.resolve("b"));
    assertThat(manifest.differences(directory))
        .containsExactly("a: sha256 differs from the manifest", "b: missing");
  }

  @Test
  void aPathOutsideTheDirectoryIsNotFollowed() throws IOException {
    Manifest honest = Manifest.write(directory, "x", null, List.of());
    Manifest lying =
        new Manifest(
            honest.kind(),
            honest.created(),
            honest.code(),
            honest.environment(),
            honest.recipe(),
            List.of(),
            List.of(new Manifest.Entry("../secret", "00", 1)));
    assertThat(lying.differences(directory)).containsExactly("../secret: outside the directory");
  }
}
