package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.adapter.AdapterFile;
import moxin.train.adapter.AdapterMerge;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import moxin.train.adapter.PeftConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models, adapters and a training step beside Hugging Face transformers and PEFT. `MOXIN_PYTHON`
/// names a Python interpreter that has torch, transformers and peft; without it nothing is tried.
@Seeded
class TransformersParityTest {
  private static final int ROWS = 3;
  private static final int LENGTH = 33;
  private static final int NEW_TOKENS = 24;
  private static final int[] PROMPT = {1, 7, 5};
  private static final ModelConfig CONFIG =
      new ModelConfig(
          "mistral", 97, 32, 48, 3, 4, 2, 8, 1e-5, 10000, OptionalInt.of(8), 64, false, 1, 2, 0.02);
  private static final AdapterSettings SETTINGS =
      new AdapterSettings(5, 10, EnumSet.allOf(AdapterTarget.class));
  private static final LearnerOptions OPTIONS =
      new LearnerOptions(DType.F32, Device.CPU, 2, ActivationMemory.KEEP);
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @TempDir private Path directory = Path.of("");

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @Test
  void transformersAndPeftAgreeWithUs(Random random) throws Exception {
    String python = System.getenv("MOXIN_PYTHON");
    assumeTrue(python != null, "MOXIN_PYTHON names no Python with transformers and peft");
    Batch batch = batch(random);
    Path model = directory.resolve("model");
    double scale = 1.0 / batch.targetCount();
    double loss;
    double norm;
    try (TorchLearner learner = TorchLearner.create(CONFIG, OPTIONS, Progress.silent())) {
      learner.initialize(new WeightInitializer(1, WeightInitializer.OutputScale.BY_DEPTH));
      Files.createDirectories(model);
      ModelConfigFile.write(model, CONFIG, DType.F32);
      SafetensorsWriter.write(
          model.resolve("model.safetensors"), learner.weights(), Map.of("format", "pt"));
      loss = scale * learner.accumulate(batch, scale);
      norm = learner.gradientNorm();
    }
    Path adapter = directory.resolve("adapter");
    double adapted = trainAdapter(model, adapter, batch);

    JsonNode answer = ask(Objects.requireNonNull(python), model, adapter, batch);

    assertThat(answer.get("class").asText()).isEqualTo("MistralForCausalLM");
    assertThat(answer.get("slidingWindow").asInt()).isEqualTo(8);
    assertThat(loss).isCloseTo(answer.get("loss").asDouble(), within(1e-5 * loss));
    assertThat(norm).isCloseTo(answer.get("gradNorm").asDouble(), within(1e-5 * norm));
    assertClose(logits(model, batch), answer.get("logits"));
    assertThat(greedy(model)).isEqualTo(ints(answer.get("greedy")));
    assertThat(adapted).isCloseTo(answer.get("adaptedLoss").asDouble(), within(1e-5 * adapted));
    assertThat(Math.abs(adapted - loss)).isGreaterThan(1e-2);
    assertClose(logits(merged(model, adapter), batch), answer.get("adaptedLogits"));
    double saved = loss(model, directory.resolve("saved"), batch);
    assertThat(saved).isCloseTo(answer.get("savedLoss").asDouble(), within(1e-5 * saved));
    assertThat(Math.abs(saved - loss)).isGreaterThan(1e-3);
  }

  private static Batch batch(Random random) {
    int[] ids = random.ints(ROWS * LENGTH, 0, CONFIG.vocabSize()).toArray();
    int[] targets = random.ints(ROWS * LENGTH, 0, CONFIG.vocabSize()).toArray();
    for (int i = 0; i < targets.length; i += 7) {
      targets[i] = Batch.IGNORED;
    }
    return new Batch(ROWS, LENGTH, ids, targets, new int[ids.length]);
  }

  /// Trains an adapter for some steps, writes it, and returns its loss.
  private static double trainAdapter(Path model, Path to, Batch batch) throws IOException {
    AdamW adamW = new AdamW(0.9, 0.95, 1e-8, 0, false, false, 1);
    try (SafetensorsCheckpoint base = SafetensorsCheckpoint.open(model);
        AdapterLearner learner =
            AdapterLearner.create(
                CONFIG, base, SETTINGS, FrozenWeights.PLAIN, OPTIONS, 1, Progress.silent())) {
      for (int i = 0; i < 6; i++) {
        learner.accumulate(batch, 1.0 / batch.targetCount());
        learner.step(adamW, 0.05);
      }
      Files.createDirectories(to);
      AdapterFile.write(to, learner.weights());
      new PeftConfig(SETTINGS, Optional.of(model.toString())).write(to);
      return learner.evaluate(batch) / batch.targetCount();
    }
  }

  private JsonNode ask(String python, Path model, Path adapter, Batch batch) throws Exception {
    Map<String, Object> request =
        Map.of(
            "ids",
            rows(batch.ids()),
            "targets",
            rows(batch.targets()),
            "prompt",
            PROMPT,
            "newTokens",
            NEW_TOKENS);
    JSON.writeValue(directory.resolve("request.json").toFile(), request);
    Path program = directory.resolve("parity.py");
    try (InputStream in = getClass().getResourceAsStream("transformers_parity.py")) {
      Files.copy(Objects.requireNonNull(in), program);
    }
    Path log = directory.resolve("python.log");
    Process process =
        new ProcessBuilder(
                python,
                program.toString(),
                model.toString(),
                adapter.toString(),
                directory.resolve("request.json").toString(),
                directory.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
    return JSON.readTree(directory.resolve("answer.json").toFile());
  }

  private static List<int[]> rows(int[] flat) {
    List<int[]> rows = new ArrayList<>();
    for (int row = 0; row < ROWS; row++) {
      rows.add(Arrays.copyOfRange(flat, row * LENGTH, (row + 1) * LENGTH));
    }
    return rows;
  }

  private Path merged(Path model, Path adapter) throws IOException {
    Path merged = Files.createDirectories(directory.resolve("merged"));
    try (SafetensorsCheckpoint base = SafetensorsCheckpoint.open(model);
        SafetensorsCheckpoint factors = AdapterFile.open(adapter, SETTINGS, CONFIG)) {
      new AdapterMerge(CONFIG, base, factors, SETTINGS)
          .toDirectory(merged, DType.F32, AdapterMerge.Direction.MERGE, Progress.silent());
    }
    return merged;
  }

  private static double loss(Path model, Path adapter, Batch batch) throws IOException {
    AdapterSettings settings = PeftConfig.read(adapter).settings();
    try (SafetensorsCheckpoint base = SafetensorsCheckpoint.open(model);
        SafetensorsCheckpoint factors = AdapterFile.open(adapter, settings, CONFIG);
        AdapterLearner learner =
            AdapterLearner.create(
                CONFIG, base, settings, FrozenWeights.PLAIN, OPTIONS, 1, Progress.silent())) {
      learner.loadWeights(factors);
      return learner.evaluate(batch) / batch.targetCount();
    }
  }

  private static float[] logits(Path model, Batch batch) throws IOException {
    int size = LENGTH * CONFIG.vocabSize();
    float[] all = new float[ROWS * size];
    try (LanguageModel engine = engine(model)) {
      List<int[]> rows = rows(batch.ids());
      for (int row = 0; row < ROWS; row++) {
        try (LanguageModel.Session session = engine.newSession()) {
          Logits logits = session.ingest(rows.get(row), LogitRows.ALL);
          System.arraycopy(logits.values(), 0, all, row * size, size);
        }
      }
    }
    return all;
  }

  private static int[] greedy(Path model) throws IOException {
    int[] chosen = new int[NEW_TOKENS];
    try (LanguageModel engine = engine(model);
        LanguageModel.Session session = engine.newSession()) {
      Logits logits = session.ingest(PROMPT, LogitRows.LAST);
      for (int i = 0; i < NEW_TOKENS; i++) {
        chosen[i] = logits.argmax(0);
        logits = session.ingest(new int[] {chosen[i]}, LogitRows.LAST);
      }
    }
    return chosen;
  }

  private static LanguageModel engine(Path model) throws IOException {
    return TorchLanguageModel.load(model, TorchModelOptions.onCpu(DType.F32), Progress.silent());
  }

  private static int[] ints(JsonNode list) {
    int[] values = new int[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.get(i).asInt();
    }
    return values;
  }

  private static void assertClose(float[] found, JsonNode expected) {
    assertThat(expected.size()).isEqualTo(found.length);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs(expected.get(i).asDouble()));
      difference = Math.max(difference, Math.abs(expected.get(i).asDouble() - found[i]));
    }
    assertThat(difference).isLessThan(2e-6 * Math.max(1, largest));
  }
}
