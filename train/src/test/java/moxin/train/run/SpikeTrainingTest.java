package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.testing.Seeded;
import moxin.train.Batch;
import moxin.train.run.Training.Start;
import moxin.train.tensorboard.EventReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs whose loss spikes on certain batches, whenever and however often they are read.
final class SpikeTrainingTest {
  private static final String RECIPE =
      """
      seed: 5
      training:
        learningRate: 0.02
        phases:
          - name: only
            steps: 60
            contextLength: 16
            batchSize: 3
            sources: [{name: train}]
        checkpoints: {everySteps: 10, keepLast: 2}
        evaluation: {everySteps: 7, sources: [{name: train}], batches: 1}
        onSpike: {action: ACTION, window: 8, threshold: 8}
        monitoring: {statistics: {everySteps: 6}, divergence: {window: 5}}
      """;

  @TempDir private Path directory;
  private final List<Integer> read = new ArrayList<>();
  private Map<String, Path> sources = Map.of();

  @BeforeEach
  void writeShard() throws IOException {
    sources = Map.of("train", TestRuns.shard(directory.resolve("train.npy"), 400, new Random(3)));
  }

  @Test
  void aSkippedSpikeLeavesTheWeightsAsTheyWere() throws Exception {
    Path run = directory.resolve("run");
    run(run, "skip", Set.of(25, 41), Start.FRESH);
    List<JsonNode> incidents = lines(run.resolve("incidents.jsonl"));
    assertThat(incidents).hasSize(2);
    assertThat(incidents.getFirst().get("step").asLong()).isEqualTo(25);
    assertThat(incidents.getFirst().get("kind").asText()).isEqualTo("spike");
    assertThat(incidents.getFirst().get("action").asText()).isEqualTo("skip");
    assertThat(incidents.getFirst().get("firstRow").asLong()).isEqualTo(72);
    assertThat(incidents.getFirst().get("rows").asLong()).isEqualTo(3);
    assertThat(incidents.getFirst().get("finding").asText()).startsWith("loss ");
    List<JsonNode> metrics = lines(run.resolve("metrics.jsonl"));
    assertThat(metrics).hasSize(60);
    assertThat(metrics.get(24).get("skipped").asBoolean()).isTrue();
    assertThat(metrics.get(25).has("skipped")).isFalse();
  }

  @Test
  void aRollbackReturnsToTheCheckpointAndReadsOnAfterTheSpike() throws Exception {
    Path run = directory.resolve("run");
    List<Long> seen = run(run, "rollback", Set.of(25), Start.FRESH);
    // Steps 21 to 24 are taken twice, from other batches the second time.
    assertThat(seen).hasSize(64).contains(24L).containsSubsequence(20L, 24L, 21L, 60L);
    JsonNode incident = lines(run.resolve("incidents.jsonl")).getFirst();
    assertThat(incident.get("rolledBackTo").asLong()).isEqualTo(20);
    List<JsonNode> metrics = lines(run.resolve("metrics.jsonl"));
    assertThat(metrics).hasSize(60);
    assertThat(metrics.stream().map(line -> line.get("step").asLong()).toList())
        .doesNotHaveDuplicates()
        .isSorted();
    assertThat(EventReader.scalars(run).of("train/loss")).hasSize(60);
    JsonNode state =
        new JsonMapper().readTree(run.resolve("checkpoints/latest/trainer_state.json").toFile());
    assertThat(state.at("/loader/sources/0/rows").asLong()).isEqualTo(3 * 65);
    assertThat(state.get("tokens").asLong()).isEqualTo(60L * 3 * 16);
  }

  @Test
  void withoutACheckpointARollbackSkips() throws Exception {
    Path run = directory.resolve("run");
    run(run, "rollback", Set.of(9), Start.FRESH);
    assertThat(lines(run.resolve("incidents.jsonl")).getFirst().get("action").asText())
        .isEqualTo("skip");
  }

  @Test
  void stopAndTooManyReturnsEndTheRunWithOneLine() throws Exception {
    assertThatThrownBy(() -> run(directory.resolve("a"), "stop", Set.of(25), Start.FRESH))
        .isInstanceOf(SpikeException.class)
        .hasMessageMatching("step 25: loss .* standard deviations .*; the recipe says stop");
    Set<Integer> all = new HashSet<>();
    for (int reading = 25; reading < 90; reading++) {
      all.add(reading);
    }
    assertThatThrownBy(() -> run(directory.resolve("b"), "rollback", all, Start.FRESH))
        .isInstanceOf(SpikeException.class)
        .hasMessageContaining("returned to step 20 3 times already");
    assertThat(directory.resolve("b/checkpoints/latest").toRealPath().getFileName())
        .hasToString("step-000020");
  }

  @Test
  @Seeded
  void runsThatSpikeEndWithTheSameBitsWhereverTheyDie(Random random) throws Exception {
    for (String action : List.of("skip", "rollback")) {
      Set<Integer> bad = Set.of(25, 33, 52);
      Path whole = directory.resolve("whole-" + action);
      run(whole, action, bad, Start.FRESH);
      for (int round = 0; round < 5; round++) {
        Path broken = directory.resolve("broken-" + action + round);
        int deaths = 0;
        while (!finish(
            broken,
            action,
            bad,
            deaths < 5
                ? random
                : new Random() {
                  @Override
                  public int nextInt(int bound) {
                    return Integer.MAX_VALUE - 1;
                  }
                })) {
          deaths++;
        }
        assertThat(deaths).isPositive();
        for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
          assertThat(broken.resolve("checkpoints/latest").resolve(file))
              .as("%s %d %s", action, round, file)
              .hasSameBinaryContentAs(whole.resolve("checkpoints/latest").resolve(file));
        }
        for (String log : List.of("metrics", "validation", "incidents", "statistics")) {
          assertThat(numbers(broken.resolve(log + ".jsonl")))
              .as("%s %d %s", action, round, log)
              .isEqualTo(numbers(whole.resolve(log + ".jsonl")));
        }
      }
    }
  }

  /// Runs on until a random step ends it, by a request or by a failure; whether it came to its end.
  private boolean finish(Path run, String action, Set<Integer> bad, Random random)
      throws Exception {
    StopRequest stop = new StopRequest();
    boolean polite = random.nextInt(2) == 0;
    TrainingObserver observer =
        new TrainingObserver() {
          private int left = 1 + random.nextInt(30);

          @Override
          public void onStep(StepMetrics metrics) {
            if (--left == 0) {
              if (polite) {
                stop.request();
              } else {
                throw new IllegalStateException("killed");
              }
            }
          }
        };
    try {
      Training.run(job(run, action, bad), Start.RESUME, observer, Progress.silent(), stop);
      return true;
    } catch (TrainingStoppedException e) {
      return false;
    } catch (IllegalStateException e) {
      assertThat(e).hasMessage("killed");
      return false;
    }
  }

  private List<Long> run(Path run, String action, Set<Integer> bad, Start start) throws Exception {
    List<Long> seen = new ArrayList<>();
    Training.run(
        job(run, action, bad),
        start,
        new TrainingObserver() {
          @Override
          public void onStep(StepMetrics metrics) {
            seen.add(metrics.step());
          }
        },
        Progress.silent());
    return seen;
  }

  private TrainingJob job(Path run, String action, Set<Integer> bad) throws Exception {
    Set<Integer> hashes = hashes(bad);
    return TestRuns.job(
        TestRuns.recipe(directory.resolve("recipe.yaml"), RECIPE.replace("ACTION", action)),
        run,
        sources,
        (config, type, seed) -> new SpikingLearner(config, type, seed, hashes, new ArrayList<>()));
  }

  /// The batches of certain readings, by their hash, so that they spike in whichever step.
  private Set<Integer> hashes(Set<Integer> readings) throws Exception {
    if (read.isEmpty()) {
      String longer = RECIPE.replace("ACTION", "skip").replace("steps: 60", "steps: 100");
      Training.run(
          TestRuns.job(
              TestRuns.recipe(directory.resolve("probe.yaml"), longer),
              directory.resolve("probe"),
              sources,
              (config, type, seed) -> new SpikingLearner(config, type, seed, Set.of(), read)),
          Start.FRESH,
          TrainingObserver.none(),
          Progress.silent());
    }
    Set<Integer> hashes = new HashSet<>();
    readings.forEach(reading -> hashes.add(read.get(reading - 1)));
    return hashes;
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> nodes = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      nodes.add(new JsonMapper().readTree(line));
    }
    return nodes;
  }

  /// The lines of a log without what depends on the clock and the machine.
  private static List<String> numbers(Path file) throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode line : lines(file)) {
      ((com.fasterxml.jackson.databind.node.ObjectNode) line)
          .remove(List.of("time", "seconds", "tokensPerSecond", "residentBytes"));
      lines.add(line.toString());
    }
    return lines;
  }

  /// Says a loss ten times too high for some batches.
  private static final class SpikingLearner extends BigramLearner {
    private final Set<Integer> bad;
    private final List<Integer> read;

    SpikingLearner(
        ModelConfig config, DType type, long seed, Set<Integer> bad, List<Integer> read) {
      super(config, type, seed);
      this.bad = bad;
      this.read = read;
    }

    @Override
    public double accumulate(Batch batch, double scale) {
      int hash = Arrays.hashCode(batch.ids());
      read.add(hash);
      double loss = super.accumulate(batch, scale);
      return bad.contains(hash) ? 10 * loss : loss;
    }
  }
}
