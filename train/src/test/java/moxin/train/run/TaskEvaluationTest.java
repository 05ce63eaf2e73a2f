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
import java.util.Optional;
import java.util.Random;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.train.report.RunComparison;
import moxin.train.report.RunReport;
import moxin.train.run.Training.Start;
import moxin.train.tensorboard.EventReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TaskEvaluationTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String RECIPE =
      """
      seed: 5
      training:
        learningRate: 0.05
        phases:
          - {name: only, steps: 13, contextLength: 16, batchSize: 3, sources: [{name: train}]}
        checkpoints: {everySteps: 4}
        evaluation: {everySteps: 5, sources: [{name: train}], batches: 1}
      """;
  private static final String TASKS = "tasks: {names: [a, b], everySteps: 3, limit: 2}";

  @TempDir Path directory;
  private Map<String, Path> sources = Map.of();

  @BeforeEach
  void writeShards() throws IOException {
    sources = Map.of("train", TestRuns.shard(directory.resolve("train.npy"), 57, new Random(3)));
  }

  @Test
  void tasksAreAskedWhenDueAndAtTheEnd() throws Exception {
    Path run = directory.resolve("run");
    List<TaskPoint> told = new ArrayList<>();
    train(
        run,
        withTasks(),
        new TrainingObserver() {
          @Override
          public void onTask(TaskPoint point) {
            told.add(point);
          }
        });
    List<JsonNode> lines = lines(run);
    assertThat(lines.stream().map(line -> line.get("step") + line.get("task").asText()))
        .containsExactly("3a", "3b", "6a", "6b", "9a", "9b", "12a", "12b", "13a", "13b");
    assertThat(told).hasSize(10);
    double accuracy = told.getLast().metrics().get("acc").value();
    JsonNode last = lines.getLast().at("/metrics/acc");
    assertThat(last.get("value").asDouble()).isEqualTo(accuracy);
    assertThat(last.get("standardError").asDouble()).isEqualTo(0.25);
    assertThat(lines.getFirst().at("/metrics/acc/value").asDouble()).isNotEqualTo(accuracy);
    assertThat(EventReader.scalars(run).of("evaluation/b/acc").keySet())
        .containsExactly(3L, 6L, 9L, 12L, 13L);
    assertThat(RunReport.write(run))
        .content()
        .contains("Evaluation over time", "<strong>a acc</strong>", "b ppl", "step 13, a acc: ");
    assertThat(RunComparison.write(List.of(run, run), directory.resolve("both.html")))
        .content()
        .contains("a acc over steps");
  }

  @Test
  void trainingIsTheSameToTheBitWithAndWithoutThem() throws Exception {
    train(directory.resolve("with"), withTasks(), TrainingObserver.none());
    train(directory.resolve("without"), RECIPE, TrainingObserver.none());
    for (String file : List.of("model.safetensors", "optimizer.safetensors")) {
      assertThat(directory.resolve("with/checkpoints/step-000013/" + file))
          .hasSameBinaryContentAs(directory.resolve("without/checkpoints/step-000013/" + file));
    }
    assertThat(directory.resolve("without/evaluation.jsonl")).isEmptyFile();
  }

  @Test
  void aRunThatDiesHasEveryLineOnce() throws Exception {
    Path whole = directory.resolve("whole");
    Path broken = directory.resolve("broken");
    train(whole, withTasks(), TrainingObserver.none());
    TrainingObserver fatal =
        new TrainingObserver() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == 10) {
              throw new IllegalStateException("dies");
            }
          }
        };
    assertThatThrownBy(() -> train(broken, withTasks(), fatal)).hasMessage("dies");
    assertThat(lines(broken)).hasSize(6);
    Training.run(
        job(broken, withTasks()), Start.RESUME, TrainingObserver.none(), Progress.silent());
    assertThat(lines(broken).stream().map(line -> line.get("metrics")))
        .isEqualTo(lines(whole).stream().map(line -> line.get("metrics")).toList());
  }

  @Test
  void theHeldOutLossMayBeAbsent() throws Exception {
    Path run = directory.resolve("run");
    train(
        run,
        RECIPE.replaceFirst("evaluation: .*", "evaluation: {everySteps: 6, tasks: {names: [a]}}"),
        TrainingObserver.none());
    assertThat(lines(run).stream().map(line -> line.get("step").asInt()))
        .containsExactly(6, 12, 13);
    assertThat(run.resolve("validation.jsonl")).isEmptyFile();
  }

  @Test
  void tasksThatNothingCanAskAreRefusedBeforeTheFirstStep() throws Exception {
    TrainingJob job = job(directory.resolve("run"), withTasks());
    TrainingJob mute =
        new TrainingJob(
            job.recipe(),
            job.run(),
            job.model(),
            job.learners(),
            job.sources(),
            job.tokenizer(),
            job.generator(),
            Optional.empty(),
            job.peakFlops());
    assertThatThrownBy(
            () -> Training.run(mute, Start.FRESH, TrainingObserver.none(), Progress.silent()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("--tokenizer");
    for (String wrong : List.of("{}", "{names: [a, a]}", "{names: [a], limit: 0}")) {
      String recipe = RECIPE.replace("batches: 1", "tasks: " + wrong);
      assertThatThrownBy(() -> train(directory.resolve("wrong"), recipe, TrainingObserver.none()))
          .as(wrong)
          .isInstanceOf(BadInputException.class);
    }
  }

  private static String withTasks() {
    return RECIPE.replace("batches: 1", "batches: 1, " + TASKS);
  }

  private TrainingJob job(Path run, String yaml) throws IOException {
    RecipeFile recipe = TestRuns.recipe(directory.resolve("recipe.yaml"), yaml);
    return TestRuns.job(recipe, run, sources);
  }

  private void train(Path run, String yaml, TrainingObserver observer) throws Exception {
    Training.run(job(run, yaml), Start.FRESH, observer, Progress.silent());
  }

  private static List<JsonNode> lines(Path run) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("evaluation.jsonl"))) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }
}
