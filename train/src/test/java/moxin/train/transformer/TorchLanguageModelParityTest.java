package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.model.TinyModels;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The model on libtorch against float64 reference numbers.
@Seeded
class TorchLanguageModelParityTest {
  private static final TorchModelOptions OPTIONS = TorchModelOptions.onCpu(DType.F32);

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  static Stream<Kernels> kernels() {
    return Stream.of(new VectorKernels(), new AtenKernels());
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void hiddenStatesAndLogitsAgreeWithFloat64(Kernels kernels) throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    Path reference = SharedData.require("reference/forward_64.safetensors");
    try (TorchLanguageModel model = model(directory, OptionalInt.empty(), kernels);
        SafetensorsCheckpoint expected = SafetensorsCheckpoint.open(reference);
        Session session = model.newSession()) {
      int[] ids = ids(expected.tensor("ids"));
      int[] seen = new int[1];
      Logits logits =
          model
              .ingest(
                  List.of(new Ingestion(session, ids, LogitRows.ALL)),
                  (layer, hidden) -> {
                    seen[0]++;
                    assertClose(hidden.toFloats(), expected.tensor("hidden." + layer));
                  })
              .getFirst();
      assertThat(seen[0]).isEqualTo(model.config().numHiddenLayers() + 1);
      assertClose(logits.values(), expected.tensor("logits"));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void windowedLogitsAgreeWithFloat64(Kernels kernels) throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    Path reference = SharedData.require("reference/forward_64.safetensors");
    try (TorchLanguageModel model = model(directory, OptionalInt.of(8), kernels);
        SafetensorsCheckpoint expected = SafetensorsCheckpoint.open(reference);
        Session whole = model.newSession();
        Session single = model.newSession()) {
      int[] ids = ids(expected.tensor("ids"));
      TensorView logits = expected.tensor("logits_window8");
      assertClose(whole.ingest(ids, LogitRows.ALL).values(), logits);
      float[] oneByOne = new float[ids.length * model.config().vocabSize()];
      for (int i = 0; i < ids.length; i++) {
        float[] row = single.ingest(new int[] {ids[i]}, LogitRows.LAST).values();
        System.arraycopy(row, 0, oneByOne, i * row.length, row.length);
      }
      assertClose(oneByOne, logits);
    }
  }

  @Test
  void greedyTextsAreTheReferencesTokenForToken() throws IOException {
    Path directory = SharedData.require("reference/stories260K-hf");
    List<String> lines = Files.readAllLines(SharedData.require("reference/greedy.handout.jsonl"));
    assertThat(lines).hasSize(8);
    ObjectMapper mapper = new ObjectMapper();
    try (LanguageModel model = TorchLanguageModel.load(directory, OPTIONS, Progress.silent())) {
      for (String line : lines) {
        JsonNode text = mapper.readTree(line);
        int[] expected = ids(text.path("ids"));
        int[] found = greedy(model, ids(text.path("prompt_ids")), expected.length);
        assertThat(found).isEqualTo(expected);
      }
    }
  }

  @Test
  void bf16FollowsFp32Roughly(Random random) throws IOException {
    ModelConfig config = TinyModels.config(OptionalInt.of(13));
    Checkpoint weights = TinyModels.weights(config, DType.BF16, random);
    int[] ids = TinyModels.ids(random, 300);
    try (LanguageModel exact = TorchLanguageModel.of(config, weights, OPTIONS, Progress.silent());
        LanguageModel narrow =
            TorchLanguageModel.of(
                config, weights, TorchModelOptions.onCpu(DType.BF16), Progress.silent());
        Session one = exact.newSession();
        Session other = narrow.newSession()) {
      float[] expected = one.ingest(ids, LogitRows.ALL).values();
      float[] found = other.ingest(ids, LogitRows.ALL).values();
      double[] wide = new double[expected.length];
      Arrays.setAll(wide, i -> expected[i]);
      assertThat(LearnerParityTest.relativeError(found, wide)).isLessThan(0.05);
    }
  }

  @Test
  void closingFreesEveryTensor(Random random) throws IOException {
    ModelConfig config = TinyModels.config(OptionalInt.empty());
    Checkpoint weights = TinyModels.weights(config, DType.F32, random);
    long before = Tensor.liveCount();
    try (LanguageModel model = TorchLanguageModel.of(config, weights, OPTIONS, Progress.silent())) {
      long loaded = Tensor.liveCount();
      try (Session session = model.newSession()) {
        session.ingest(TinyModels.ids(random, 300), LogitRows.ALL);
        assertThat(Tensor.liveCount()).as("the cache is one tensor").isEqualTo(loaded + 1);
        session.ingest(TinyModels.ids(random, 300), LogitRows.LAST);
        assertThat(Tensor.liveCount()).isEqualTo(loaded + 1);
      }
      assertThat(Tensor.liveCount()).isEqualTo(loaded);
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  private static TorchLanguageModel model(Path directory, OptionalInt window, Kernels kernels)
      throws IOException {
    ModelConfig config = ModelConfigFile.read(directory).withSlidingWindow(window);
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(directory)) {
      return TorchLanguageModel.of(config, weights, OPTIONS, new Execution(kernels, 1, 1, 2));
    }
  }

  private static int[] greedy(LanguageModel model, int[] prompt, int length) {
    int[] ids = Arrays.copyOf(prompt, length);
    try (Session session = model.newSession()) {
      Logits logits = session.ingest(prompt, LogitRows.LAST);
      for (int i = prompt.length; i < length; i++) {
        ids[i] = logits.argmax(0);
        logits = session.ingest(new int[] {ids[i]}, LogitRows.LAST);
      }
    }
    return ids;
  }

  private static int[] ids(TensorView view) {
    return view.data().toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }

  private static int[] ids(JsonNode list) {
    return IntStream.range(0, list.size()).map(i -> list.path(i).asInt()).toArray();
  }

  private static void assertClose(float[] found, TensorView view) {
    float[] expected = Precision.widen(view);
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(Math.abs(found[i] - expected[i])).as(view.name() + " " + i).isLessThan(1e-4f);
    }
  }
}
