package moxin.release;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import moxin.job.CodeVersion;
import moxin.job.Manifest;
import moxin.job.Progress;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The cards of a small run, letter by letter. The expected texts are the cards that this class
/// builds, read by a person; date, versions and vendor are put in for `{date}` and its like.
class ReleaseCardsGoldenTest {
  @TempDir private Path directory = Path.of("");
  private Path out = Path.of("");

  @BeforeEach
  void build() throws IOException {
    SampleRun sample =
        SampleRun.create(directory, "GPL-2.0-only WITH Classpath-exception-2.0 AND W3C");
    out = directory.resolve("out");
    ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
  }

  @ParameterizedTest
  @ValueSource(strings = {"README.md", "DATA_CARD.md", "MODEL_OPENNESS.yml", "LICENSE"})
  void cardsAreThoseExpected(String name) throws IOException {
    CodeVersion code = CodeVersion.current();
    String date = Manifest.read(out.resolve("model")).created().substring(0, 10);
    String expected =
        golden(name)
            .replace("{date}", date)
            .replace("{version}", code.version())
            .replace("{commit}", code.commit())
            .replace("{java}", Runtime.version().toString())
            .replace("{vendor}", System.getProperty("java.vendor"));
    assertThat(Files.readString(out.resolve(name))).isEqualTo(expected);
  }

  @Test
  void everyFileIsInTheManifest() throws IOException {
    assertThat(Manifest.read(out).outputs())
        .extracting(Manifest.Entry::name)
        .contains("README.md", "DATA_CARD.md", "MODEL_OPENNESS.yml", "LICENSE", "recipe.yaml")
        .contains("model/model.safetensors", "checkpoints/step-000010/model.safetensors");
  }

  private static String golden(String name) throws IOException {
    String resource = "golden/" + name + ".expected";
    try (InputStream in = ReleaseCardsGoldenTest.class.getResourceAsStream(resource)) {
      return in == null
          ? resource + " is missing"
          : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
