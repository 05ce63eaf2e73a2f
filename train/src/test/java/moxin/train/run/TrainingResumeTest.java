package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.testing.Seeded;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.report.RunReport;
import moxin.train.run.Training.Start;
import moxin.train.tensorboard.EventReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrainingResumeTest {
  private static final String RECIPE =
      """
      seed: 5
      training:
        learningRate: 0.05
        schedule: {kind: cosine, warmupSteps: 3}
        phases:
          - name: short
            steps: 11
            contextLength: 16
            batchSize: 3
            accumulationSteps: 2
            sources: [{name: train, weight: 3}, {name: other, weight: 1}]
          - name: long
            steps: 9
            contextLength: 33
            batchSize: 2
            packing: contiguous
            learningRate: 0.02
            schedule: {kind: constant}
            sources: [{name: train}]
        checkpoints: {everySteps: 4, atSteps: [1], keepLast: 2}
        evaluation: {everySteps: 5, sources: [{name: other}], batches: 3}
        samples: {prompts: [a], everySteps: 7}
      """;

  @TempDir Path directory;
  private Map<String, Path> sources = Map.of();

  @BeforeEach
  void writeShards() throws IOException {
    Random random = new Random(3);
    sources =
        Map.of(
            "train", TestRuns.shard(directory.resolve("train.npy"), 57, random),
            "other", TestRuns.shard(directory.resolve("other.npy"), 9, random));
  }

  @Test
  void anUndisturbedRunLearnsAndLeavesItsFiles() throws Exception {
    Path run = directory.resolve("run");
    List<Path> checkpoints = new ArrayList<>();
    TrainingResult result =
        Training.run(
            TestRuns.job(recipe(RECIPE), run, sources),
            Start.FRESH,
            new TrainingObserver() {
              @Override
              public void onCheckpoint(Path checkpoint) {
                checkpoints.add(checkpoint);
              }
            },
            Progress.silent());

    assertThat(result.steps()).isEqualTo(20);
    List<JsonNode> metrics = lines(run.resolve("metrics.jsonl"));
    assertThat(metrics).hasSize(20);
    assertThat(metrics.getLast().get("loss").asDouble())
        .isLessThan(metrics.getFirst().get("loss").asDouble() - 0.2);
    assertThat(metrics.get(2).get("lr").asDouble()).isEqualTo(0.05);
    assertThat(metrics.get(11).get("phase").asText()).isEqualTo("long");
    assertThat(metrics.get(11).get("lr").asDouble()).isEqualTo(0.02);
    assertThat(lines(run.resolve("validation.jsonl"))).hasSize(5);
    assertThat(lines(run.resolve("samples.jsonl"))).hasSize(4);
    assertThat(checkpoints).hasSize(7);
    var scalars = EventReader.scalars(run);
    assertThat(scalars.byTag().keySet())
        .containsExactly(
            "train/gradNorm",
            "train/loss",
            "train/lr",
            "train/residentGigabytes",
            "train/tokensPerSecond",
            "validation/loss");
    assertThat(scalars.of("train/loss")).hasSize(20);
    assertThat(scalars.of("train/loss").get(20L))
        .isEqualTo((float) metrics.getLast().get("loss").asDouble());
    assertThat(scalars.of("validation/loss").keySet()).containsExactly(5L, 10L, 11L, 15L, 20L);
    try (var names = Files.list(run.resolve("checkpoints"))) {
      assertThat(names.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "step-000001", "step-000011", "step-000012", "step-000016", "step-000020", "latest");
    }
    assertThat(run.resolve("checkpoints/latest").toRealPath().getFileName())
        .hasToString("step-000020");
    assertThat(RecipeFile.read(run.resolve("recipe.yaml")).seed()).isEqualTo(5);
    assertThat(RunReport.write(run)).content().contains("<h2>Training</h2>", "1 short", "2 long");
    for (String file :
        List.of("model.safetensors", "config.json", "generation_config.json", "manifest.json")) {
      assertThat(run.resolve("checkpoints/latest").resolve(file)).exists();
    }
  }

  @Test
  @Seeded
  void aRunThatDiesAnywhereEndsWithTheSameBits(Random random) throws Exception {
    Path whole = directory.resolve("whole");
    Training.run(
        TestRuns.job(recipe(RECIPE), whole, sources),
        Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());
    for (int round = 0; round < 6; round++) {
      Path broken = directory.resolve("broken" + round);
      int deaths = runWithDeaths(broken, random);
      assertThat(deaths).isPositive();
      assertThat(weights(broken)).as("round %d", round).isEqualTo(weights(whole));
      assertThat(Files.readAllBytes(broken.resolve("checkpoints/latest/optimizer.safetensors")))
          .isEqualTo(Files.readAllBytes(whole.resolve("checkpoints/latest/optimizer.safetensors")));
      assertThat(numbers(broken.resolve("metrics.jsonl"), "step", "loss", "lr", "gradNorm"))
          .isEqualTo(numbers(whole.resolve("metrics.jsonl"), "step", "loss", "lr", "gradNorm"));
      assertThat(numbers(broken.resolve("validation.jsonl"), "step", "loss"))
          .isEqualTo(numbers(whole.resolve("validation.jsonl"), "step", "loss"));
      assertThat(numbers(broken.resolve("samples.jsonl"), "step", "text"))
          .isEqualTo(numbers(whole.resolve("samples.jsonl"), "step", "text"));
      assertSameCurves(EventReader.scalars(broken), EventReader.scalars(whole));
    }
  }

  @Test
  void aChangedRecipeIsRefusedAndWatchingMayChange() throws Exception {
    Path run = directory.resolve("run");
    Training.run(
        TestRuns.job(recipe(RECIPE), run, sources),
        Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());

    assertThatThrownBy(() -> resume(run, RECIPE.replace("batchSize: 3", "batchSize: 4")))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("training.phases[0].batchSize was 3, is 4");
    assertThatThrownBy(() -> resume(run, RECIPE.replace("seed: 5", "seed: 6")))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("seed was 5, is 6");
    TestRuns.shard(directory.resolve("other.npy"), 10, new Random(8));
    assertThatThrownBy(() -> resume(run, RECIPE))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("inputs[");
    writeShards();
    resume(run, RECIPE.replace("everySteps: 5", "everySteps: 6"));
    assertThatThrownBy(
            () ->
                Training.run(
                    TestRuns.job(recipe(RECIPE), run, sources),
                    Start.FRESH,
                    TrainingObserver.none(),
                    Progress.silent()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("--resume");
  }

  @Test
  void aDamagedCheckpointIsPassedOver() throws Exception {
    Path run = directory.resolve("run");
    Training.run(
        TestRuns.job(recipe(RECIPE), run, sources),
        Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());
    byte[] before = weights(run);
    Path last = run.resolve("checkpoints/step-000020");
    Files.write(last.resolve("optimizer.safetensors"), new byte[] {1, 2, 3});
    Files.delete(run.resolve("checkpoints/step-000016/manifest.json"));

    resume(run, RECIPE);

    assertThat(weights(run)).isEqualTo(before);
    assertThat(lines(run.resolve("metrics.jsonl"))).hasSize(20);
  }

  @Test
  void nonFiniteLossStopsOrSkipsAsTheRecipeSays() throws Exception {
    Path stopped = directory.resolve("stopped");
    assertThatThrownBy(
            () ->
                Training.run(
                    TestRuns.job(recipe(RECIPE), stopped, sources, SickLearner::new),
                    Start.FRESH,
                    TrainingObserver.none(),
                    Progress.silent()))
        .isInstanceOf(NonFiniteLossException.class)
        .hasMessageContaining("step 6");
    Path skipping = directory.resolve("skipping");
    Training.run(
        TestRuns.job(
            recipe(RECIPE + "  onNonFiniteLoss: skip\n  maxSkippedSteps: 1\n"),
            skipping,
            sources,
            SickLearner::new),
        Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());
    List<JsonNode> metrics = lines(skipping.resolve("metrics.jsonl"));
    assertThat(metrics).hasSize(20);
    assertThat(metrics.get(5).get("skipped").asBoolean()).isTrue();
    assertThat(metrics.get(5).has("loss")).isFalse();
    assertThat(metrics.get(6).has("skipped")).isFalse();
  }

  @Test
  void aCheckpointThatCannotBeWrittenLosesNoneBeforeIt() throws Exception {
    Path tokenizer = directory.resolve("tokenizer.json");
    Files.writeString(tokenizer, "{}");
    Path whole = directory.resolve("whole");
    Training.run(
        TestRuns.jobWith(tokenizer, recipe(RECIPE), whole, sources),
        Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());
    Path run = directory.resolve("run");
    TrainingObserver thief =
        new TrainingObserver() {
          @Override
          public void onCheckpoint(Path checkpoint) {
            if (checkpoint.endsWith("step-000004")) {
              assertThat(tokenizer.toFile().delete()).isTrue();
            }
          }
        };
    assertThatThrownBy(
            () ->
                Training.run(
                    TestRuns.jobWith(tokenizer, recipe(RECIPE), run, sources),
                    Start.FRESH,
                    thief,
                    Progress.silent()))
        .isInstanceOf(CheckpointWriteException.class)
        .hasMessageContaining("the checkpoint after step 8 could not be written")
        .hasMessageContaining("--resume");
    assertThat(run.resolve("checkpoints/latest").toRealPath().getFileName())
        .hasToString("step-000004");
    Files.writeString(tokenizer, "{}");
    Training.run(
        TestRuns.jobWith(tokenizer, recipe(RECIPE), run, sources),
        Start.RESUME,
        TrainingObserver.none(),
        Progress.silent());
    assertThat(weights(run)).isEqualTo(weights(whole));
  }

  @Test
  void retentionKeepsTheNewestAndEveryNth() throws Exception {
    Path run = directory.resolve("run");
    resume(run, RECIPE.replace("everySteps: 4, atSteps: [1]", "everySteps: 1, keepEvery: 6"));
    try (var names = Files.list(run.resolve("checkpoints"))) {
      assertThat(names.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "step-000006",
              "step-000011",
              "step-000012",
              "step-000017",
              "step-000018",
              "step-000019",
              "step-000020",
              "latest");
    }
  }

  @Test
  void aRunAskedToStopSavesItsStepAndGoesOnWithTheSameBits() throws Exception {
    Path whole = directory.resolve("whole");
    resume(whole, RECIPE);
    Path run = directory.resolve("run");
    for (long wanted : List.of(2L, 4L, 5L, 11L, 14L)) {
      StopRequest stop = new StopRequest();
      TrainingObserver observer =
          new TrainingObserver() {
            @Override
            public void onStep(StepMetrics metrics) {
              if (metrics.step() == wanted) {
                stop.request();
              }
            }
          };
      assertThatThrownBy(
              () ->
                  Training.run(
                      TestRuns.job(recipe(RECIPE), run, sources),
                      Start.RESUME,
                      observer,
                      Progress.silent(),
                      stop))
          .isInstanceOfSatisfying(
              TrainingStoppedException.class,
              stopped -> {
                assertThat(stopped.step()).isEqualTo(wanted);
                assertThat(stopped.checkpoint()).isDirectory();
              });
    }
    resume(run, RECIPE);
    assertThat(weights(run)).isEqualTo(weights(whole));
    assertThat(numbers(run.resolve("metrics.jsonl"), "step", "loss"))
        .isEqualTo(numbers(whole.resolve("metrics.jsonl"), "step", "loss"));
    assertThat(numbers(run.resolve("validation.jsonl"), "step", "loss"))
        .isEqualTo(numbers(whole.resolve("validation.jsonl"), "step", "loss"));
  }

  @Test
  void unusableSourcesAreOneLine() throws Exception {
    assertThatThrownBy(() -> resume(directory.resolve("a"), RECIPE, Map.of("train", directory)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no source is called other");
    Path missing = directory.resolve("missing.npy");
    assertThatThrownBy(
            () ->
                resume(directory.resolve("b"), RECIPE, Map.of("train", missing, "other", missing)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("missing.npy: no token shards");
  }

  private static void assertSameCurves(EventReader.Curves curves, EventReader.Curves expected) {
    assertThat(curves.byTag().keySet()).isEqualTo(expected.byTag().keySet());
    for (String tag : List.of("train/loss", "train/lr", "train/gradNorm", "validation/loss")) {
      assertThat(curves.of(tag)).as(tag).isEqualTo(expected.of(tag));
    }
  }

  private int runWithDeaths(Path run, Random random) throws Exception {
    for (int deaths = 0; ; deaths++) {
      int fuse = deaths < 6 ? 1 + random.nextInt(60) : Integer.MAX_VALUE;
      Fuse death = new Fuse(fuse);
      try {
        Training.run(
            TestRuns.job(
                recipe(RECIPE),
                run,
                sources,
                (config, type, seed) -> new MortalLearner(config, type, seed, death)),
            Start.RESUME,
            new TrainingObserver() {
              @Override
              public void onCheckpoint(Path checkpoint) {
                death.burn();
              }

              @Override
              public void onStep(StepMetrics metrics) {
                death.burn();
              }
            },
            Progress.silent());
        return deaths;
      } catch (Death e) {
        try (var file =
            Files.newOutputStream(
                run.resolve("metrics.jsonl"), java.nio.file.StandardOpenOption.APPEND)) {
          file.write("{\"step\":2".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
      }
    }
  }

  private void resume(Path run, String yaml) throws Exception {
    resume(run, yaml, sources);
  }

  private void resume(Path run, String yaml, Map<String, Path> named) throws Exception {
    Training.run(
        TestRuns.job(recipe(yaml), run, named),
        Start.RESUME,
        TrainingObserver.none(),
        Progress.silent());
  }

  private RecipeFile recipe(String yaml) throws IOException {
    return TestRuns.recipe(directory.resolve("recipe.yaml"), yaml);
  }

  private static byte[] weights(Path run) throws IOException {
    return Files.readAllBytes(run.resolve("checkpoints/latest/model.safetensors"));
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> nodes = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      nodes.add(new JsonMapper().readTree(line));
    }
    return nodes;
  }

  private static List<String> numbers(Path file, String... fields) throws IOException {
    List<String> rows = new ArrayList<>();
    for (JsonNode line : lines(file)) {
      StringBuilder row = new StringBuilder();
      for (String field : fields) {
        row.append(line.get(field)).append(' ');
      }
      rows.add(row.toString());
    }
    return rows;
  }

  private static final class Death extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private static final class Fuse {
    private int left;

    Fuse(int left) {
      this.left = left;
    }

    void burn() {
      if (--left == 0) {
        throw new Death();
      }
    }
  }

  /// Dies at any of its calls, those between the files of a checkpoint included.
  private static final class MortalLearner extends BigramLearner {
    private final Fuse fuse;

    MortalLearner(ModelConfig config, DType type, long seed, Fuse fuse) {
      super(config, type, seed);
      this.fuse = fuse;
    }

    @Override
    public double accumulate(Batch batch, double scale) {
      fuse.burn();
      return super.accumulate(batch, scale);
    }

    @Override
    public void step(AdamW adamW, double learningRate) {
      fuse.burn();
      super.step(adamW, learningRate);
    }

    @Override
    public List<TensorView> weights() {
      fuse.burn();
      return super.weights();
    }

    @Override
    public List<TensorView> optimizerState() {
      fuse.burn();
      return super.optimizerState();
    }
  }

  /// Its sixth step has no finite loss.
  private static final class SickLearner extends BigramLearner {
    private int calls;

    SickLearner(ModelConfig config, DType type, long seed) {
      super(config, type, seed);
    }

    @Override
    public double accumulate(Batch batch, double scale) {
      calls++;
      double loss = super.accumulate(batch, scale);
      return calls == 11 ? Double.NaN : loss;
    }
  }
}
