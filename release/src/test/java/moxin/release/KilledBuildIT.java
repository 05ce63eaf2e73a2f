package moxin.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import moxin.job.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Builds that end without a chance to clean up, in a process of their own.
class KilledBuildIT {
  private static final int KILLED = 137;

  @TempDir private Path directory = Path.of("");

  @ParameterizedTest
  @ValueSource(strings = {"gathering", "hashing"})
  void noReleaseIsLeftHalfWrittenAndTheNextBuildClearsUp(String moment) throws Exception {
    SampleRun sample = SampleRun.create(directory, "MIT");
    Path out = directory.resolve("out");
    assertThat(buildAndDie(sample, out, moment)).isEqualTo(KILLED);
    assertThat(out).doesNotExist();
    assertThat(names()).anyMatch(name -> name.startsWith(".out.partial-"));
    ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
    assertThat(names()).containsExactly("home", "out", "run", "src.zip");
  }

  @Test
  void anEarlierReleaseStaysWhole() throws Exception {
    SampleRun sample = SampleRun.create(directory, "MIT");
    Path out = directory.resolve("out");
    String before =
        ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent()).sha256();
    assertThat(buildAndDie(sample, out, "hashing")).isEqualTo(KILLED);
    ReleaseCheck.Report after = ReleaseCheck.check(out);
    assertThat(after.genuine()).isTrue();
    assertThat(after.sha256()).isEqualTo(before);
  }

  private static int buildAndDie(SampleRun sample, Path out, String moment)
      throws IOException, InterruptedException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    return new ProcessBuilder(
            java.toString(),
            "-cp",
            System.getProperty("java.class.path", ""),
            Victim.class.getName(),
            sample.run().toString(),
            out.toString(),
            sample.home().toString(),
            moment)
        .inheritIO()
        .start()
        .waitFor();
  }

  private List<String> names() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> String.valueOf(entry.getFileName())).sorted().toList();
    }
  }

  /// Builds a release and halts the machine when it gets to a moment.
  static final class Victim {

    private Victim() {}

    public static void main(String[] args) throws IOException {
      ReleaseOptions options = new ReleaseOptions(Optional.of(Path.of(args[2])), List.of());
      ReleaseBuilder.build(Path.of(args[0]), Path.of(args[1]), options, new HaltAt(args[3]));
    }
  }

  private record HaltAt(String moment) implements Progress, Progress.Task {

    @Override
    public Task start(String label, long total, String unit) {
      return this;
    }

    @Override
    public void note(String line) {}

    @Override
    public void advance(long units) {}

    @Override
    public void status(String text) {
      if (text.equals(moment)) {
        Runtime.getRuntime().halt(KILLED);
      }
    }

    @Override
    public void close() {}
  }
}
