package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Greedy texts of the reference data, token for token, and a model whose weights are bf16.
final class GreedyParityTest {

  private static final EngineOptions OPTIONS =
      new EngineOptions(2, KernelChoice.VECTOR, Optional.of(KvType.F32));

  @ParameterizedTest
  @EnumSource(KernelChoice.class)
  void greedyTokensAreTheReferences(KernelChoice kernels) throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    List<String> lines = Files.readAllLines(SharedData.require("reference/greedy.handout.jsonl"));
    assertThat(lines).hasSize(8);
    try (CpuModel model = CpuModel.load(directory, new EngineOptions(2, kernels))) {
      for (String line : lines) {
        int[] prompt = ids(line, "prompt_ids");
        int[] expected = ids(line, "ids");
        assertThat(greedy(model, prompt, expected.length)).isEqualTo(expected);
      }
    }
  }

  /// Machine code rounds activations too, which tips the close calls that these prompts were chosen
  /// for; docs/PRECISION.md says by how much.
  @ParameterizedTest
  @EnumSource(value = KernelChoice.class, mode = EnumSource.Mode.EXCLUDE, names = "ASSEMBLED")
  void greedyTokensOfBf16WeightsAreThoseOfTheirWidenedValues(KernelChoice kernels)
      throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    List<String> lines = Files.readAllLines(SharedData.require("reference/greedy.handout.jsonl"));
    ModelConfig config = ModelConfigFile.read(directory);
    try (SafetensorsCheckpoint exact = SafetensorsCheckpoint.open(directory)) {
      Checkpoint rounded = rounded(exact);
      try (CpuModel model = CpuModel.of(config, rounded, new EngineOptions(2, kernels));
          CpuModel full = CpuModel.of(config, widened(rounded), OPTIONS)) {
        for (String line : lines) {
          int[] prompt = ids(line, "prompt_ids");
          int length = ids(line, "ids").length;
          assertThat(greedy(model, prompt, length)).isEqualTo(greedy(full, prompt, length));
        }
      }
    }
  }

  private static Checkpoint rounded(Checkpoint checkpoint) {
    List<TensorView> views = new ArrayList<>();
    for (String name : checkpoint.names()) {
      TensorView view = checkpoint.tensor(name);
      float[] numbers = Precision.widen(view);
      short[] bits = new short[numbers.length];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = Precision.floatToBf16(numbers[i]);
      }
      views.add(new TensorView(name, DType.BF16, view.shape(), MemorySegment.ofArray(bits)));
    }
    return MemoryCheckpoint.of("rounded", views);
  }

  @Test
  void bf16WeightsGiveTheLogitsOfTheirWidenedValues() throws Exception {
    Path directory = SharedData.require("checkpoints/verl-arithmetic-llama");
    ModelConfig config = ModelConfigFile.read(directory);
    int[] ids = {1, 5, 3, 15, 0, 7, 2, 2, 9};
    try (SafetensorsCheckpoint brain = SafetensorsCheckpoint.open(directory);
        CpuModel model = CpuModel.of(config, brain, OPTIONS);
        CpuModel full = CpuModel.of(config, widened(brain), OPTIONS);
        Session one = model.newSession();
        Session other = full.newSession()) {
      assertThat(brain.tensor("lm_head.weight").dtype()).isEqualTo(DType.BF16);
      Logits logits = one.ingest(ids, LogitRows.ALL);
      assertThat(logits.values()).isEqualTo(other.ingest(ids, LogitRows.ALL).values());
      for (float logit : logits.values()) {
        assertThat(logit).isFinite();
      }
    }
  }

  private static Checkpoint widened(Checkpoint checkpoint) {
    List<TensorView> views = new ArrayList<>();
    for (String name : checkpoint.names()) {
      TensorView view = checkpoint.tensor(name);
      MemorySegment data = MemorySegment.ofArray(Precision.widen(view));
      views.add(new TensorView(name, DType.F32, view.shape(), data));
    }
    return MemoryCheckpoint.of("widened", views);
  }

  private static int[] greedy(CpuModel model, int[] prompt, int length) {
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

  private static int[] ids(String line, String key) {
    Matcher list = Pattern.compile("\"" + key + "\": \\[([0-9, ]+)]").matcher(line);
    assertThat(list.find()).isTrue();
    return Stream.of(list.group(1).split(", ")).mapToInt(Integer::parseInt).toArray();
  }
}
