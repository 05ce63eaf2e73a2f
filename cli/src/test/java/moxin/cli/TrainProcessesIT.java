package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import moxin.cli.MoxinProcess.Outcome;
import moxin.testing.MpiRun;
import moxin.text.shard.TokenShardWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `mpirun moxin train` and `moxin train --launcher local`.
final class TrainProcessesIT {
  private static final String RECIPE =
      """
      seed: 5
      model: {vocabSize: 13, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 1, numAttentionHeads: 2, numKeyValueHeads: 1, maxPositionEmbeddings: 64, slidingWindow: 0, eosTokenId: 2, bosTokenId: 1}
      training:
        learningRate: 0.01
        phases:
          - {steps: 3, contextLength: 16, batchSize: 4, sources: [{path: train.npy}]}
        parallel: {zero: 2}
      """;

  private static final String MANY_STEPS = "training.phases.0.steps=100000";

  @TempDir private Path directory = Path.of("");

  @Test
  void twoProcessesWriteOneRunWithTheLossesOfOne() throws Exception {
    writeShard();
    MpiRun.Ended two = train(2, directory.resolve("two"));
    assertThat(two.exitCode()).as(two.output()).isZero();
    assertThat(two.output().lines().filter(line -> line.endsWith("step-000003"))).hasSize(1);
    MpiRun.Ended one = train(1, directory.resolve("one"));
    assertThat(one.exitCode()).as(one.output()).isZero();
    assertThat(losses(directory.resolve("two")))
        .hasSize(3)
        .isEqualTo(losses(directory.resolve("one")));
  }

  @Test
  void aWrongRecipeIsOneLineAndEndsBothProcesses() throws Exception {
    MpiRun.Ended ended = train(2, directory.resolve("none"));
    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(2);
    assertThat(ended.output().lines().filter(line -> line.startsWith("moxin: "))).hasSize(1);
  }

  @Test
  void aSignalToAnyProcessSavesAndEndsAll() throws Exception {
    writeShard();
    for (boolean toLauncher : new boolean[] {false, true}) {
      Path out = directory.resolve("stopped" + toLauncher);
      MpiRun run = start(out);
      awaitSteps(out, 3);
      ProcessHandle second =
          run.started().stream().max(Comparator.comparingLong(ProcessHandle::pid)).orElseThrow();
      assertThat((toLauncher ? run.launcher() : second).destroy()).isTrue();
      MpiRun.Ended ended = run.end(Duration.ofSeconds(60));
      if (!toLauncher) {
        assertThat(ended.exitCode()).as(ended.output()).isEqualTo(143);
      }
      int steps = losses(out).size();
      assertThat(ended.output())
          .containsOnlyOnce("moxin: SIGTERM: finishes the step and saves")
          .containsOnlyOnce("moxin: stopped after step " + steps + ", saved in ");
      assertThat(out.resolve("checkpoints/step-%06d/manifest.json".formatted(steps))).exists();
    }
  }

  @Test
  void theLocalLauncherStartsTheProcessesItself() throws Exception {
    writeShard();
    Path one = directory.resolve("one");
    Path two = directory.resolve("two");
    local(one, "1").run().exits(0);
    Outcome outcome = local(two, "2").run().exits(0);
    assertThat(outcome.out()).isEqualTo(two.resolve("checkpoints/step-000003") + "\n");
    assertThat(losses(two)).hasSize(3).isEqualTo(losses(one));
  }

  @Test
  void aSignalToTheLocalLauncherSavesAndEndsAll() throws Exception {
    writeShard();
    Path out = directory.resolve("stopped");
    try (MoxinProcess process = local(out, "2", "--set", MANY_STEPS).start()) {
      awaitSteps(out, 3);
      List<ProcessHandle> children =
          ProcessHandle.of(process.pid()).orElseThrow().children().toList();
      assertThat(children).hasSize(2);
      assertThat(ProcessHandle.of(process.pid()).orElseThrow().destroy()).isTrue();
      Outcome ended = process.await().exits(143);
      assertThat(ended.messages())
          .filteredOn(line -> line.startsWith("moxin: "))
          .hasSize(2)
          .last()
          .asString()
          .startsWith("moxin: stopped after step " + losses(out).size());
      assertThat(children).noneMatch(ProcessHandle::isAlive);
    }
  }

  @Test
  void aKilledProcessIsOneClearErrorOfTheLocalLauncher() throws Exception {
    writeShard();
    Path out = directory.resolve("killed");
    try (MoxinProcess process = local(out, "2", "--set", MANY_STEPS).start()) {
      awaitSteps(out, 3);
      ProcessHandle second =
          ProcessHandle.of(process.pid())
              .orElseThrow()
              .children()
              .max(Comparator.comparingLong(ProcessHandle::pid))
              .orElseThrow();
      assertThat(second.destroyForcibly()).isTrue();
      assertThat(process.endsWithin(Duration.ofSeconds(30))).isTrue();
      Outcome ended = process.await();
      assertThat(ended.exitCode()).isNotZero();
      assertThat(ended.messages())
          .filteredOn(line -> line.startsWith("moxin: "))
          .singleElement()
          .asString()
          .startsWith("moxin: process 1 (pid " + second.pid())
          .endsWith(
              "has ended before the job; the run goes on from its newest checkpoint with --resume");
    }
  }

  @Test
  void theLocalLauncherNeedsToKnowHowMany() {
    MoxinHere.Answer answer =
        MoxinHere.run("train", "recipe.yaml", "--out", "run", "--launcher", "local");
    assertThat(answer.code()).isEqualTo(2);
    assertThat(answer.err()).contains("--launcher=local needs --processes from 1 to 256");
  }

  /// `moxin train --launcher local` with a wrapped-up command line.
  private Local local(Path out, String processes, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of("train", "recipe.yaml", "--out", out.toString(), "--launcher", "local"));
    arguments.addAll(List.of("--processes", processes));
    arguments.addAll(List.of(more));
    return new Local(MoxinProcess.Launch.brieflyIn(directory), arguments);
  }

  private record Local(MoxinProcess.Launch launch, List<String> arguments) {
    MoxinProcess start() throws IOException {
      return launch.start(arguments);
    }

    Outcome run() throws IOException, InterruptedException {
      return launch.run(arguments);
    }
  }

  /// A run of many steps, whose `mpirun` leaves processes that it ends ten seconds to save.
  private MpiRun start(Path out) throws IOException {
    return MpiRun.start(
        directory,
        2,
        List.of("--mca", "odls_base_sigkill_timeout", "10"),
        Main.class,
        "train",
        directory.resolve("recipe.yaml").toString(),
        "--out",
        out.toString(),
        "--set",
        MANY_STEPS);
  }

  private static void awaitSteps(Path run, int steps) throws Exception {
    Path metrics = run.resolve("metrics.jsonl");
    for (int i = 0; i < 1200; i++) {
      if (Files.exists(metrics) && Files.readAllLines(metrics).size() >= steps) {
        return;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("the run does not start");
  }

  private MpiRun.Ended train(int processes, Path out) throws Exception {
    String recipe = directory.resolve("recipe.yaml").toString();
    return MpiRun.run(directory, processes, Main.class, "train", recipe, "--out", out.toString());
  }

  private void writeShard() throws IOException {
    Files.writeString(directory.resolve("recipe.yaml"), RECIPE);
    Random random = new Random(3);
    try (TokenShardWriter writer =
        TokenShardWriter.create(directory.resolve("train.npy"), 13, "")) {
      for (int i = 0; i < 30; i++) {
        writer.add("d" + i, "test", "", random.ints(20, 1, 13).toArray());
      }
      writer.commit();
    }
  }

  private static List<Double> losses(Path run) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      losses.add(json.readTree(line).get("loss").asDouble());
    }
    return losses;
  }
}
