package moxin.cli.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moxin.job.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepLedgerTest {
  @TempDir Path run;
  private Path artefact;
  private final String key = StepLedger.key(List.of("recipe", "input"));

  @BeforeEach
  void makeAnArtefact() throws IOException {
    artefact = Files.createDirectory(run.resolve("data"));
    Files.writeString(artefact.resolve("documents"), "text");
    Manifest.write(artefact, "corpus", null, List.of());
    StepLedger.open(run).done("data", key, artefact);
  }

  @Test
  void aFinishedStepIsFoundAgain() throws IOException {
    assertThat(StepLedger.open(run).isDone("data", key, artefact)).isTrue();
  }

  @Test
  void anotherKeyMeansAnotherRun() throws IOException {
    String other = StepLedger.key(List.of("recip", "einput"));
    assertThat(StepLedger.open(run).isDone("data", other, artefact)).isFalse();
    assertThat(StepLedger.open(run).isDone("tokenizer", key, artefact)).isFalse();
  }

  @Test
  void aChangedFileOrManifestIsNoticed() throws IOException {
    Files.writeString(artefact.resolve("documents"), "tampered");
    assertThat(StepLedger.open(run).isDone("data", key, artefact)).isFalse();
    Manifest.write(artefact, "corpus", null, List.of());
    assertThat(StepLedger.open(run).isDone("data", key, artefact)).isFalse();
  }

  @Test
  void anUnreadableLedgerCountsAsEmpty() throws IOException {
    Files.writeString(run.resolve("steps.json"), "{\"data\": {\"key\"");
    assertThat(StepLedger.open(run).isDone("data", key, artefact)).isFalse();
  }
}
