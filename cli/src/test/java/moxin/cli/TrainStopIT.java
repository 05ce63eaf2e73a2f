package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import moxin.cli.MoxinProcess.Launch;
import moxin.cli.MoxinProcess.Outcome;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Signals to a real run: SIGTERM and Ctrl-C save and end it with one line that says how to go on,
/// a second signal ends it at once, and a run killed anyhow ends with the same bits.
class TrainStopIT {
  private static final Duration SOON = Duration.ofMinutes(2);

  private static final String RECIPE =
      """
      name: stop
      seed: 4
      model:
        vocabSize: 27
        hiddenSize: 32
        intermediateSize: 64
        numHiddenLayers: 2
        numAttentionHeads: 4
        numKeyValueHeads: 2
        slidingWindow: 0
        maxPositionEmbeddings: 64
        tieWordEmbeddings: true
      training:
        learningRate: 1.0e-3
        phases:
          - name: characters
            steps: 400
            contextLength: 64
            batchSize: 12
            packing: contiguous
            sources: [{path: data/train.npy}]
        evaluation: {everySteps: 70, batches: 2, sources: [{path: data/validation.npy}]}
        checkpoints: {everySteps: 30, keepLast: 2}
      """;

  @TempDir private Path folder;

  @BeforeEach
  void writeText() throws IOException, InterruptedException {
    Random random = new Random(1);
    StringBuilder text = new StringBuilder("abcdefghijklmnopqrstuvwxyz ");
    for (int i = 0; i < 30_000; i++) {
      text.append((char) ('a' + (i * 7 + random.nextInt(3)) % 26));
    }
    Files.writeString(folder.resolve("text.txt"), text);
    Files.writeString(folder.resolve("recipe.yaml"), RECIPE);
    Launch.brieflyIn(folder).run("data", "characters", "text.txt", "--out", "data").exits(0);
  }

  @Test
  void aSignalSavesAndSaysHowToGoOn() throws IOException, InterruptedException {
    for (String signal : signals()) {
      Path run = folder.resolve(signal);
      Outcome stopped;
      try (MoxinProcess process = start(run)) {
        awaitStep(process, run, 5);
        send(signal, process);
        stopped = process.await();
      }
      stopped.exits(signal.equals("TERM") ? 143 : 130);
      String last = stopped.messages().getLast();
      long step = steps(run);
      assertThat(last)
          .startsWith("moxin: stopped after step " + step + ", saved in ")
          .contains("step-%06d".formatted(step))
          .endsWith("; go on with: moxin train recipe.yaml --out " + run + " --resume");
      assertThat(run.resolve("checkpoints/step-%06d/manifest.json".formatted(step))).exists();
      Outcome resumed = Launch.in(folder).run(arguments(run, "--resume")).exits(0);
      assertThat(resumed.err()).contains("Resumes after step " + step);
      assertThat(steps(run)).isEqualTo(400);
    }
    Path checkpoint = Path.of("checkpoints/step-000400/optimizer.safetensors");
    for (String signal : signals()) {
      assertThat(folder.resolve(signal).resolve(checkpoint))
          .hasSameBinaryContentAs(folder.resolve("TERM").resolve(checkpoint));
    }
  }

  /// SIGTERM, and SIGINT unless this process was told to ignore it, as shells tell background jobs:
  /// children inherit that, and a JVM then leaves it ignored.
  private static List<String> signals() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (Files.isReadable(status)) {
      for (String line : Files.readAllLines(status)) {
        if (line.startsWith("SigIgn:")) {
          long ignored = Long.parseUnsignedLong(line.substring(7).strip(), 16);
          return (ignored & 2) != 0 ? List.of("TERM") : List.of("TERM", "INT");
        }
      }
    }
    return List.of("TERM", "INT");
  }

  @Test
  void aSecondSignalEndsItAtOnce() throws IOException, InterruptedException {
    String slow = RECIPE.replace("batchSize: 12", "batchSize: 12\n      accumulationSteps: 20000");
    Files.writeString(folder.resolve("recipe.yaml"), slow);
    Path run = folder.resolve("run");
    try (MoxinProcess process = start(run)) {
      long until = System.nanoTime() + SOON.toNanos();
      while (!Files.exists(run.resolve("metrics.jsonl"))) {
        assertThat(System.nanoTime()).as(process.err()).isLessThan(until);
        Thread.sleep(20);
      }
      Thread.sleep(300);
      send("TERM", process);
      while (!process.err().contains("once more stops at once")) {
        assertThat(System.nanoTime()).as(process.err()).isLessThan(until);
        Thread.sleep(20);
      }
      Thread.sleep(500); // a signal at once after the first is the same one, from another sender
      send("TERM", process);
      assertThat(process.endsWithin(Duration.ofSeconds(20))).isTrue();
      process.await().exits(143);
    }
    assertThat(run.resolve("checkpoints")).doesNotExist();
  }

  @Test
  void verifyResumeFindsNoDifference() throws IOException, InterruptedException {
    Outcome outcome =
        Launch.in(folder)
            .run(
                "train",
                "verify-resume",
                "recipe.yaml",
                "--out",
                "verified",
                "--kills",
                "4",
                "--seed",
                "2",
                "--set",
                "training.phases.0.steps=150")
            .exits(0);
    assertThat(outcome.out())
        .contains("SIGTERM", "SIGKILL", "model.safetensors", "optimizer.safetensors")
        .contains("equal after 150 steps and 4 kills, to the bit");
  }

  private MoxinProcess start(Path run) throws IOException {
    return Launch.in(folder).start(arguments(run));
  }

  private static List<String> arguments(Path run, String... more) {
    List<String> arguments =
        new java.util.ArrayList<>(List.of("train", "recipe.yaml", "--out", run.toString()));
    arguments.addAll(List.of(more));
    return arguments;
  }

  private static void send(String signal, MoxinProcess process)
      throws IOException, InterruptedException {
    List<String> command = List.of("kill", "-" + signal, Long.toString(process.pid()));
    assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
  }

  private static void awaitStep(MoxinProcess process, Path run, long step)
      throws IOException, InterruptedException {
    long until = System.nanoTime() + SOON.toNanos();
    while (steps(run) < step) {
      assertThat(process.endsWithin(Duration.ofMillis(5))).as(process.err()).isFalse();
      assertThat(System.nanoTime()).as(process.err()).isLessThan(until);
    }
  }

  private static long steps(Path run) throws IOException {
    Path metrics = run.resolve("metrics.jsonl");
    return Files.exists(metrics) ? Files.readAllLines(metrics).size() : 0;
  }
}
