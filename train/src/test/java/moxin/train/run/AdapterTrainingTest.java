package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
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
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.testing.Seeded;
import moxin.train.AdaptingLearner;
import moxin.train.Learner;
import moxin.train.LearnerFactory;
import moxin.train.adapter.AdapterFile;
import moxin.train.adapter.AdapterMerge;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.PeftConfig;
import moxin.train.report.RunReport;
import moxin.train.run.Training.Start;
import moxin.train.transformer.ActivationMemory;
import moxin.train.transformer.AdapterLearner;
import moxin.train.transformer.LearnerOptions;
import moxin.train.transformer.WeightInitializer;
import moxin.train.transformer.WeightInitializer.OutputScale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Runs that train adapters on libtorch.
@Seeded
final class AdapterTrainingTest {
  private static final String RECIPE =
      """
      seed: 5
      training:
        initialisation: {checkpoint: base}
        adapter: {kind: qlora, rank: 4, targets: [q_proj, v_proj, down_proj], dropout: 0.1}
        precision: bf16
        learningRate: 0.02
        phases:
          - {steps: 9, contextLength: 16, batchSize: 3, sources: [{name: train}]}
        checkpoints: {everySteps: 4}
        evaluation: {everySteps: 3, sources: [{name: train}], batches: 2}
      """;

  @TempDir private Path directory = Path.of("");
  private Map<String, Path> sources = Map.of();

  @BeforeEach
  void writeInputs(Random random) throws IOException {
    sources = Map.of("train", TestRuns.shard(directory.resolve("train.npy"), 57, random));
    writeBase(directory.resolve("base"), 1);
  }

  @Test
  void aRunLeavesAnAdapterThatPeftReadsAndResumesToTheBit() throws Exception {
    Path whole = directory.resolve("whole");
    run(whole, RECIPE, Start.FRESH, Integer.MAX_VALUE);
    Path latest = whole.resolve("checkpoints/latest");
    assertThat(losses(whole).getLast()).isLessThan(losses(whole).getFirst());
    assertThat(latest.resolve("model.safetensors")).doesNotExist();
    assertThat(latest.resolve("config.json")).doesNotExist();
    PeftConfig written = PeftConfig.read(latest);
    assertThat(written.settings().rank()).isEqualTo(4);
    assertThat(written.dropout()).isEqualTo(0.1);
    assertThat(written.base()).contains(directory.resolve("base").toAbsolutePath().toString());
    ModelConfig config = TestRuns.config(TestRuns.VOCAB);
    try (SafetensorsCheckpoint adapter = AdapterFile.open(latest, written.settings(), config)) {
      assertThat(adapter.names())
          .hasSize(6)
          .contains("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
    }
    assertThat(RunReport.write(whole)).content().contains("<h2>Training</h2>");

    Path parts = directory.resolve("parts");
    assertThatThrownBy(() -> run(parts, RECIPE, Start.FRESH, 6)).isInstanceOf(Stop.class);
    assertThat(parts.resolve("checkpoints/latest").toRealPath().getFileName())
        .hasToString("step-000004");
    run(parts, RECIPE, Start.RESUME, Integer.MAX_VALUE);
    assertThat(losses(parts)).isEqualTo(losses(whole));
    for (String file : List.of("adapter_model.safetensors", "optimizer.safetensors")) {
      assertThat(parts.resolve("checkpoints/latest").resolve(file))
          .hasSameBinaryContentAs(latest.resolve(file));
    }
  }

  @Test
  void anotherBaseOrAdapterIsRefusedWhenResuming() throws Exception {
    Path run = directory.resolve("run");
    run(run, RECIPE, Start.FRESH, Integer.MAX_VALUE);
    assertThatThrownBy(
            () -> run(run, RECIPE.replace("rank: 4", "rank: 5"), Start.RESUME, Integer.MAX_VALUE))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("alpha was 8.0, is 10.0");
    writeBase(directory.resolve("base"), 2);
    assertThatThrownBy(() -> run(run, RECIPE, Start.RESUME, Integer.MAX_VALUE))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("inputs");
  }

  @Test
  void samplesAndTasksSeeTheModelWithItsAdapterAdded() throws Exception {
    Path run = directory.resolve("run");
    List<float[]> seen = new ArrayList<>();
    List<String> names = new ArrayList<>();
    String query = "model.layers.0.self_attn.q_proj.weight";
    TrainingJob job =
        TestRuns.job(
            recipe(
                RECIPE.replace("batches: 2", "batches: 2, tasks: {names: [a], everySteps: 0}")
                    + "  samples: {prompts: [a], everySteps: 0}\n"),
            run,
            sources,
            new Learners());
    Training.run(
        new TrainingJob(
            job.recipe(),
            job.run(),
            job.model(),
            job.learners(),
            job.sources(),
            job.tokenizer(),
            Optional.of(
                (_, weights, _) -> {
                  weights.forEach(weight -> names.add(weight.name()));
                  return List.of("text");
                }),
            Optional.of(
                (config, weights, tasks) -> {
                  weights.stream()
                      .filter(weight -> weight.name().equals(query))
                      .forEach(weight -> seen.add(Precision.widen(weight)));
                  return TestRuns.scores(config, weights, tasks);
                }),
            job.peakFlops()),
        Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());
    ModelConfig config = TestRuns.config(TestRuns.VOCAB);
    assertThat(names).containsExactlyInAnyOrderElementsOf(WeightNames.shapes(config).keySet());
    assertThat(Files.readString(run.resolve("samples.jsonl"))).contains("\"text\"");
    Path latest = run.resolve("checkpoints/latest");
    AdapterSettings settings = PeftConfig.read(latest).settings();
    Path merged = Files.createDirectory(directory.resolve("merged"));
    try (SafetensorsCheckpoint base = SafetensorsCheckpoint.open(directory.resolve("base"));
        SafetensorsCheckpoint adapter = AdapterFile.open(latest, settings, config)) {
      new AdapterMerge(config, base, adapter, settings)
          .toDirectory(merged, DType.BF16, AdapterMerge.Direction.MERGE, Progress.silent());
      try (SafetensorsCheckpoint sum = SafetensorsCheckpoint.open(merged)) {
        assertThat(seen).hasSize(1);
        assertThat(seen.getFirst()).isEqualTo(Precision.widen(sum.tensor(query)));
        assertThat(seen.getFirst()).isNotEqualTo(Precision.widen(base.tensor(query)));
      }
    }
  }

  @Test
  void learnersWithoutAdaptersSaySo() throws Exception {
    TrainingJob job =
        TestRuns.job(recipe(RECIPE), directory.resolve("run"), sources, BigramLearner::new);
    assertThatThrownBy(
            () -> Training.run(job, Start.FRESH, TrainingObserver.none(), Progress.silent()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("train no adapters");
  }

  private void run(Path run, String yaml, Start start, int steps) throws Exception {
    Training.run(
        TestRuns.job(recipe(yaml), run, sources, new Learners()),
        start,
        new TrainingObserver() {
          @Override
          public void onStep(StepMetrics metrics) {
            if (metrics.step() == steps) {
              throw new Stop();
            }
          }
        },
        Progress.silent());
  }

  private RecipeFile recipe(String yaml) throws IOException {
    return TestRuns.recipe(directory.resolve("recipe.yaml"), yaml);
  }

  private static void writeBase(Path base, long seed) throws IOException {
    Files.createDirectories(base);
    ModelConfig config = TestRuns.config(TestRuns.VOCAB);
    WeightInitializer initializer = new WeightInitializer(seed, OutputScale.SAME);
    List<TensorView> views = new ArrayList<>();
    WeightNames.shapes(config)
        .forEach(
            (name, shape) ->
                views.add(
                    new TensorView(
                        name,
                        DType.F32,
                        shape,
                        MemorySegment.ofArray(initializer.weights(config, name)))));
    SafetensorsWriter.write(base.resolve("model.safetensors"), views, Map.of());
    ModelConfigFile.write(base, config, DType.F32);
  }

  private static List<Double> losses(Path run) throws IOException {
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      losses.add(new JsonMapper().readTree(line).get("loss").asDouble());
    }
    return losses;
  }

  private static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private static final class Learners implements LearnerFactory {

    @Override
    public Learner create(ModelConfig config, DType computeType, long seed) {
      throw new IllegalStateException("the recipe trains an adapter");
    }

    @Override
    public AdaptingLearner adapt(
        ModelConfig config, DType computeType, long seed, AdapterPlan plan, Checkpoint base) {
      LearnerOptions all = LearnerOptions.onCpu(computeType);
      LearnerOptions options =
          new LearnerOptions(
              computeType, all.device(), all.processors(), ActivationMemory.RECOMPUTE);
      try {
        return AdapterLearner.create(config, base, plan, options, seed, Progress.silent());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
