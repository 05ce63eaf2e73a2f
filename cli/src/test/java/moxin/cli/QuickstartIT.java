package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import moxin.cli.MoxinProcess.Launch;
import moxin.cli.MoxinProcess.Outcome;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// `moxin quickstart`, shortened, as a process of its own: what it leaves, what it does not do
/// again, what it does again. The tests build on one another's run directory.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class QuickstartIT {
  private static final List<String> STEPS =
      List.of("corpus", "tokenizer", "tokens", "training", "evaluation", "release");

  @TempDir private static Path folder;
  private static Path corpus;
  private static Path run;
  private static Outcome first;

  @BeforeAll
  static void quickstart() throws IOException, InterruptedException {
    corpus = ShortQuickstart.gatherCorpus(folder.resolve("corpus"));
    run = folder.resolve("runs").resolve("quickstart");
    first = Launch.in(folder).run(ShortQuickstart.arguments(corpus, run));
  }

  @Test
  @Order(1)
  void aRunEndsWithAModelItsFiguresAndTheCommandsToTryNext() throws IOException {
    first.exits(0);
    assertThat(first.out())
        .contains("this model", "xz -9", "bits per byte", "Openness of the release")
        .contains("moxin chat --model " + run, "moxin generate", "moxin eval");
    assertThat(first.err()).doesNotContain("Exception");
    assertThat(run.resolve("checkpoints/latest/model.safetensors")).isNotEmptyFile();
    assertThat(run.resolve("tokenizer/tokenizer.model")).isNotEmptyFile();
    assertThat(run.resolve("evaluation/results.json")).isNotEmptyFile();
    assertThat(run.resolve("release/README.md")).isNotEmptyFile();
    assertThat(run.resolve("data/report.json")).isNotEmptyFile();
    assertThat(run.resolve("tokens/train/corpus")).isNotEmptyDirectory();
    assertThat(ShortQuickstart.losses(run)).hasSize(ShortQuickstart.STEPS);
    ShortQuickstart.requireWhole(run);
    ShortQuickstart.requireTidy(run);
  }

  @Test
  @Order(2)
  void theCommandsThatItNamesWork() throws IOException, InterruptedException {
    Launch launch = Launch.brieflyIn(folder);
    String model = run.resolve("checkpoints/latest").toString();
    Outcome generated =
        launch.run(
            "generate", "--model", model, "--prompt", "public static", "--max-new-tokens", "3");
    assertThat(generated.exits(0).out()).startsWith("public static");
    Outcome chatted = launch.reading("public static\n/exit\n").run("chat", "--model", model);
    assertThat(chatted.exits(0).out()).contains("public static");
    Outcome evaluated =
        launch.run(
            "eval", "--model", model, "--tasks", "heldout", "--limit", "2", "--data", "" + data());
    assertThat(evaluated.exits(0).out()).contains("heldout", "bits_per_byte");
    Outcome checked = launch.run("release", "check", run.resolve("release").toString());
    checked.exits(0);
  }

  @Test
  @Order(3)
  void aSecondRunDoesNothingAgain() throws IOException, InterruptedException {
    Map<String, String> before = ShortQuickstart.contents(run);
    FileTime written = Files.getLastModifiedTime(weights());
    Outcome second = Launch.in(folder).run(ShortQuickstart.arguments(corpus, run));
    assertThat(doneAlready(second)).containsExactlyElementsOf(STEPS);
    assertThat(ShortQuickstart.contents(run)).isEqualTo(before);
    assertThat(Files.getLastModifiedTime(weights())).isEqualTo(written);
    assertThat(figures(second)).isEqualTo(figures(first));
  }

  @Test
  @Order(4)
  void anotherEvaluationLeavesTheModelAsItIs() throws IOException, InterruptedException {
    Map<String, String> before = ShortQuickstart.contents(run);
    Outcome changed =
        Launch.in(folder)
            .run(ShortQuickstart.arguments(corpus, run, "evaluation.heldoutDocuments=3"));
    assertThat(doneAlready(changed)).containsExactly("corpus", "tokenizer", "tokens", "training");
    assertThat(ShortQuickstart.contents(run)).isEqualTo(before);
  }

  @Test
  @Order(5)
  void anotherLearningRateTrainsAgainOnTheSameTokens() throws IOException, InterruptedException {
    Map<String, String> before = ShortQuickstart.contents(run);
    Outcome changed =
        Launch.in(folder).run(ShortQuickstart.arguments(corpus, run, "training.learningRate=1e-3"));
    assertThat(doneAlready(changed)).containsExactly("corpus", "tokenizer", "tokens");
    Map<String, String> after = ShortQuickstart.contents(run);
    assertThat(after.keySet()).isEqualTo(before.keySet());
    assertThat(after.get("release/model/model.safetensors"))
        .isNotEqualTo(before.get("release/model/model.safetensors"));
    assertThat(ShortQuickstart.losses(run)).hasSize(ShortQuickstart.STEPS);
  }

  @Test
  @Order(6)
  void anotherDocumentMakesEverythingAgain() throws IOException, InterruptedException {
    Files.writeString(corpus.resolve("another.md"), "A document about nothing else. ".repeat(20));
    Outcome changed =
        Launch.in(folder).run(ShortQuickstart.arguments(corpus, run, "training.learningRate=1e-3"));
    assertThat(doneAlready(changed)).isEmpty();
    ShortQuickstart.requireWhole(run);
    ShortQuickstart.requireTidy(run);
  }

  @Test
  @Order(7)
  void aSignalWhileItTrainsSavesAndTheSameCommandGoesOn() throws IOException, InterruptedException {
    List<String> arguments =
        ShortQuickstart.arguments(
            corpus, run, "training.learningRate=1e-3", "training.phases.0.steps=100000");
    Outcome stopped;
    try (MoxinProcess process = Launch.in(folder).start(arguments)) {
      long until = System.nanoTime() + Duration.ofMinutes(2).toNanos();
      // The metrics of the run before are removed when the other training begins.
      while (!Files.exists(run.resolve("metrics.jsonl"))
          || Files.readAllLines(run.resolve("metrics.jsonl")).size() <= ShortQuickstart.STEPS + 3) {
        assertThat(process.endsWithin(Duration.ofMillis(20))).as(process.err()).isFalse();
        assertThat(System.nanoTime()).as(process.err()).isLessThan(until);
      }
      List<String> command = List.of("kill", "-TERM", Long.toString(process.pid()));
      assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
      stopped = process.await();
    }
    stopped.exits(143);
    assertThat(stopped.messages().getLast())
        .startsWith("moxin: stopped after step ")
        .contains("; go on with: moxin quickstart --corpus ")
        .doesNotContain("--resume");
    int steps = ShortQuickstart.losses(run).size();
    assertThat(run.resolve("checkpoints/step-%06d/manifest.json".formatted(steps))).exists();
    assertThat(run.resolve("report.html")).content().contains("Evaluation over time");
  }

  private static Path data() {
    return run.resolve("data");
  }

  private static Path weights() {
    return run.resolve("checkpoints/latest/model.safetensors");
  }

  private static List<String> doneAlready(Outcome outcome) {
    return outcome.exits(0).messages().stream()
        .filter(line -> line.endsWith(": done already"))
        .map(line -> line.substring(0, line.indexOf(':')))
        .toList();
  }

  private static List<String> figures(Outcome outcome) {
    return outcome.out().lines().filter(line -> !line.startsWith("Took ")).toList();
  }
}
