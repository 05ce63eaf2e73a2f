package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.testing.MpiRun;
import moxin.testing.TcpRun;
import moxin.train.LearnerFactory;
import moxin.train.run.Training.Start;
import moxin.train.transformer.LearnerOptions;
import moxin.train.transformer.TorchLearner;
import moxin.train.transformer.WeightInitializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole runs under `mpirun` and by TCP, against the same run in one process.
final class DistributedTrainingIT {
  private static final String RECIPE =
      """
      seed: 5
      training:
        learningRate: 0.01
        optimizer: {gradientClip: 0.5}
        phases:
          - {steps: 5, contextLength: 16, batchSize: 5, accumulationSteps: 2, sources: [{name: train}]}
          - {name: long, steps: 3, contextLength: 33, batchSize: 4, sources: [{name: train}]}
        checkpoints: {everySteps: 3}
        evaluation: {everySteps: 4, sources: [{name: train}], batches: 2}
        parallel: {zero: ZERO}
      """;

  @TempDir private Path directory = Path.of("");

  @BeforeEach
  void writeShard() throws IOException {
    TestRuns.shard(directory.resolve("train.npy"), 57, new Random(3));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void everyStageHasTheLossesAndWeightsOfOneProcess(int ranks) throws Exception {
    MpiRun.Ended ended = MpiRun.run(directory, ranks, DistributedProgram.class, everyStage());
    assertThat(ended.exitCode()).as(ended.output()).isZero();
    assertAllAreTheSingleRun();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void soItIsWithoutMpi(int ranks) throws Exception {
    TcpRun.Ended ended = TcpRun.run(directory, ranks, DistributedProgram.class, everyStage());
    assertThat(ended.exitCodes()).as(ended.output()).containsOnly(0).hasSize(ranks);
    assertAllAreTheSingleRun();
  }

  private String[] everyStage() throws IOException {
    List<String> arguments = new ArrayList<>(List.of(directory.toString(), "0", "FRESH"));
    for (int zero = 0; zero <= 3; zero++) {
      arguments.add(recipe(zero).toString());
      arguments.add(directory.resolve("zero" + zero).toString());
    }
    return arguments.toArray(String[]::new);
  }

  private void assertAllAreTheSingleRun() throws Exception {
    Path single = directory.resolve("single");
    trainAlone(recipe(0), single, Start.FRESH);
    for (int zero = 0; zero <= 3; zero++) {
      assertSameRun(directory.resolve("zero" + zero), single);
    }
  }

  @Test
  void aRunWithAKilledProcessEndsAndGoesOnWithMoreAndWithOne() throws Exception {
    Path killed = directory.resolve("killed");
    MpiRun run =
        MpiRun.start(
            directory,
            2,
            List.of(),
            DistributedProgram.class,
            directory.toString(),
            "5",
            "FRESH",
            recipe(2).toString(),
            killed.toString());
    for (int i = 0; i < 600 && !Files.exists(directory.resolve("waits")); i++) {
      Thread.sleep(50);
    }
    long pid = Long.parseLong(Files.readString(directory.resolve("pid-1")));
    assertThat(ProcessHandle.of(pid).orElseThrow().destroyForcibly()).isTrue();
    MpiRun.Ended ended = run.end(Duration.ofSeconds(30));
    assertThat(ended.exitCode()).as(ended.output()).isNotZero();

    Path alone = directory.resolve("alone");
    copy(killed, alone);
    trainAlone(recipe(0), alone, Start.RESUME);
    MpiRun.Ended resumed =
        MpiRun.run(
            directory,
            4,
            DistributedProgram.class,
            directory.toString(),
            "0",
            "RESUME",
            recipe(3).toString(),
            killed.toString());
    assertThat(resumed.exitCode()).as(resumed.output()).isZero();
    Path single = directory.resolve("single");
    trainAlone(recipe(0), single, Start.FRESH);
    assertSameRun(killed, single);
    assertSameRun(alone, single);
  }

  private Path recipe(int zero) throws IOException {
    Path file = directory.resolve("zero" + zero + ".yaml");
    Files.writeString(file, RECIPE.replace("ZERO", Integer.toString(zero)));
    return file;
  }

  private void trainAlone(Path recipe, Path run, Start start) throws Exception {
    LearnerFactory learners =
        (config, type, seed) -> {
          try {
            TorchLearner learner =
                TorchLearner.create(config, LearnerOptions.onCpu(type), Progress.silent());
            learner.initialize(new WeightInitializer(seed, WeightInitializer.OutputScale.BY_DEPTH));
            return learner;
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        };
    Training.run(
        DistributedProgram.job(RecipeFile.read(recipe), directory, run, learners),
        start,
        TrainingObserver.none(),
        Progress.silent());
  }

  private static void assertSameRun(Path found, Path expected) throws IOException {
    assertThat(numbers(found)).as(found.toString()).hasSize(8).isEqualTo(numbers(expected));
    assertThat(Files.readString(found.resolve("validation.jsonl")).lines()).hasSize(3);
    Path latest = Path.of("checkpoints", "latest");
    try (SafetensorsCheckpoint one = SafetensorsCheckpoint.open(expected.resolve(latest));
        SafetensorsCheckpoint many = SafetensorsCheckpoint.open(found.resolve(latest))) {
      assertThat(many.names()).containsExactlyInAnyOrderElementsOf(one.names());
      for (String name : one.names()) {
        assertThat(Precision.widen(many.tensor(name)))
            .as(found + " " + name)
            .isEqualTo(Precision.widen(one.tensor(name)));
      }
    }
  }

  private static List<List<Double>> numbers(Path run) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    List<List<Double>> numbers = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode step = json.readTree(line);
      numbers.add(List.of(step.get("loss").asDouble(), step.get("gradNorm").asDouble()));
    }
    return numbers;
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isSymbolicLink(file)) {
          Files.createSymbolicLink(target, Files.readSymbolicLink(file));
        } else if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }
}
