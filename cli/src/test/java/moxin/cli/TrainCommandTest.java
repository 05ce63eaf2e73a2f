package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import moxin.cli.MoxinHere.Answer;
import moxin.testing.SharedData;
import moxin.text.shard.TokenShardWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Dry runs, and the documents of a run.
class TrainCommandTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String MOXIN_7B =
      SharedData.projectRoot().resolve("recipes/moxin-7b.yaml").toString();

  @TempDir private Path folder = Path.of("");

  @Test
  void aDryRunSaysWhatMoxin7bTakes() throws IOException {
    Answer answer =
        MoxinHere.run("train", MOXIN_7B, "--dry-run", "--devices", "8", "--zero-stage", "1");
    assertThat(answer.code()).as(answer.err()).isZero();
    assertThat(answer.out())
        .contains("8,114,180,096", "8 devices of 139.0 GiB and 989.0 TFLOP/s in BF16, 50 % MFU")
        .contains("6·P + 12·L·H·D·min(T, window)", "no source is called slimpajama");

    Answer json =
        MoxinHere.run(
            "train", MOXIN_7B, "--dry-run", "--json", "--devices=8", "--zero-stage=1", "--mfu=0.4");
    JsonNode tree = JSON.readTree(json.out());
    assertThat(tree.path("parameters").asLong()).isEqualTo(8_114_180_096L);
    assertThat(tree.path("fits").asBoolean()).isTrue();
    assertThat(tree.path("machine").path("mfu").asDouble()).isEqualTo(0.4);
    JsonNode memory = tree.path("phases").path(0).path("memory");
    assertThat(memory.path("weights").asLong()).isEqualTo(2 * 8_114_180_096L * 9 / 8);
    long sum = 0;
    for (JsonNode part : memory) {
      sum += part.asLong();
    }
    assertThat(sum).isEqualTo(2 * memory.path("total").asLong());
    assertThat(tree.path("phases").path(0).path("memoryByActivations").size()).isEqualTo(3);
  }

  @Test
  void aRunThatCannotFitIsRefusedInOneLine() {
    Answer answer = MoxinHere.run("train", MOXIN_7B, "--dry-run");
    assertThat(answer.code()).isEqualTo(1);
    assertThat(answer.err().lines())
        .singleElement()
        .asString()
        .startsWith("moxin: phase context-2k needs")
        .contains("it fits with ")
        .contains("training.optimizer.states: int8");
    assertThat(answer.out()).contains("8,114,180,096");
  }

  @Test
  void moxin7bOnOneDeviceFitsWithEightBitStatesAndNotWithFp32() {
    String recipe = MOXIN_7B.replace("moxin-7b.yaml", "moxin-7b-one-gpu.yaml");
    Answer fits = MoxinHere.run("train", recipe, "--dry-run");
    assertThat(fits.code()).as(fits.err()).isZero();
    assertThat(fits.out()).contains("8,114,180,096", "INT8 optimizer state", "rows of 4096");
    Answer refused = MoxinHere.run("train", recipe, "--dry-run", "--optimizer-state", "fp32");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .contains("phase context-4k needs")
        .contains("it fits with training.optimizer.states: int8");
  }

  @Test
  void theTimeOfACpuIsNotKnownUnlessItsPeakIsGiven() throws IOException {
    String[] cpu = {"train", MOXIN_7B, "--dry-run", "--device-kind=cpu", "--device-memory=400"};
    String out = MoxinHere.run(cpu).out();
    assertThat(out)
        .contains(
            "not known without --peak-flops", "time not known", "unknown speed", "price unknown")
        .doesNotContain("TFLOP/s", "$");
    JsonNode tree = JSON.readTree(MoxinHere.run(with(cpu, "--json")).out());
    assertThat(tree.path("seconds").isNull()).isTrue();
    assertThat(tree.path("costUsd").isNull()).isTrue();
    assertThat(tree.path("machine").path("peakFlops").isNull()).isTrue();
    assertThat(tree.path("flops").asDouble()).isGreaterThan(1e21);
    assertThat(MoxinHere.run(with(cpu, "--peak-flops=2e12")).out())
        .contains("2.000 TFLOP/s", "days", "device-hours, price not known");
    assertThat(MoxinHere.run(with(cpu, "--peak-flops=2e12", "--price-per-hour=0.1")).out())
        .contains("device-hours, $");
  }

  private static String[] with(String[] options, String... more) {
    return Stream.concat(Stream.of(options), Stream.of(more)).toArray(String[]::new);
  }

  @Test
  void wrongOptionsAreOneLine() {
    assertComplains(MoxinHere.run("train", MOXIN_7B, "--dry-run", "--mfu", "2"), "MFU in (0, 1]");
    assertComplains(
        MoxinHere.run("train", MOXIN_7B, "--dry-run", "--zero-stage", "4"), "zeroStage 0 to 3");
    assertComplains(MoxinHere.run("train", MOXIN_7B), "--out");
    assertComplains(MoxinHere.run("train", "--out", "x"), "RECIPE");
    assertComplains(MoxinHere.run("train", "documents", "x"), "--step");
    assertComplains(
        MoxinHere.run("train", "documents", folder.toString(), "--step", "1"),
        "no run; recipe.yaml is missing");
  }

  @Test
  void theDocumentsOfAStepAndTheStepsOfADocument() throws IOException {
    Path shard = folder.resolve("tokens/train/notes/part.npy");
    Files.createDirectories(shard.getParent());
    try (TokenShardWriter writer = TokenShardWriter.create(shard, 100, "")) {
      for (int i = 0; i < 6; i++) {
        writer.add("note-" + i, "notes.txt", "", new int[] {1, 2, 3, 4, 5, 6, 7, 8});
      }
      writer.commit();
    }
    Files.writeString(
        folder.resolve("recipe.yaml"),
        """
        seed: 3
        training:
          learningRate: 0.01
          phases:
            - {steps: 4, contextLength: 8, batchSize: 3, sources: [{name: notes}]}
        """);
    Answer step = MoxinHere.run("train", "documents", folder.toString(), "--step", "2", "--json");
    assertThat(step.code()).as(step.err()).isZero();
    List<String> lines = step.out().lines().toList();
    assertThat(lines).hasSize(3);
    JsonNode use = JSON.readTree(lines.getFirst());
    assertThat(use.path("source").asText()).isEqualTo("notes");
    assertThat(use.path("origin").asText()).isEqualTo("notes.txt");
    assertThat(use.path("length").asInt()).isEqualTo(8);
    Answer document =
        MoxinHere.run(
            "train", "documents", folder.toString(), "--document", use.path("id").asText());
    // Two passes over six documents in steps of three: once in each pass.
    assertThat(document.out().lines()).hasSize(3).anyMatch(line -> line.startsWith("       2 "));
    assertComplains(
        MoxinHere.run("train", "documents", folder.toString(), "--step", "5"),
        "the run has steps 1 to 4");
  }

  private static void assertComplains(Answer answer, String message) {
    assertThat(answer.code()).as(answer.err()).isEqualTo(2);
    assertThat(answer.err().lines().filter(line -> !line.startsWith("See: ")))
        .singleElement()
        .asString()
        .startsWith("moxin: ")
        .contains(message);
  }
}
