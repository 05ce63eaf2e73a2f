package moxin.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import moxin.model.WeightNames.LayerWeight;
import moxin.model.gguf.GgufTensorNames;
import moxin.testing.Rounds;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.text.gguf.GgufFormatException;
import moxin.text.gguf.GgufHeaderWriter;
import moxin.text.gguf.GgufTensorInfo;
import moxin.text.gguf.GgufValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Seeded
final class GgufCheckpointTest {

  private static final int F32 = 0;
  private static final int Q4_0 = 2;
  private static final int Q3_K = 11;

  @TempDir Path directory;

  @Test
  void aFileOfLlamaCppsFormatIsTheSameModelAsItsHuggingFaceDirectory() throws IOException {
    Path gguf = SharedData.require("reference/stories260K-f32.gguf");
    Path reference = SharedData.require("reference/stories260K-hf");
    ModelConfig expected = ModelConfigFile.read(reference);
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf);
        SafetensorsCheckpoint original = SafetensorsCheckpoint.open(reference)) {
      ModelConfig config = checkpoint.config();
      assertThat(config.modelType()).isEqualTo("llama");
      assertThat(config.headDim()).isEqualTo(8);
      assertThat(config.rmsNormEps()).isEqualTo(expected.rmsNormEps());
      assertThat(config.parameterCount()).isEqualTo(expected.parameterCount());
      assertThat(config.bosTokenId()).isEqualTo(expected.bosTokenId());
      assertThat(config.eosTokenIds()).isEqualTo(expected.eosTokenIds());
      assertThat(config.tieWordEmbeddings()).isTrue();
      WeightNames.requireComplete(checkpoint, config);
      assertThat(checkpoint.names()).hasSize(original.names().size());
      for (String name : original.names()) {
        float[] found = Precision.widen(checkpoint.tensor(name));
        if (name.contains("q_proj") || name.contains("k_proj")) {
          found = rowsMoved(found, checkpoint.rotaryOrder(), 8, 64);
        }
        assertThat(found).as(name).isEqualTo(Precision.widen(original.tensor(name)));
      }
    }
  }

  private static float[] rowsMoved(float[] rows, RotaryOrder stored, int headDim, int columns) {
    int[] order = RotaryOrder.HALF_SPLIT.rowsFrom(stored, headDim);
    float[] moved = new float[rows.length];
    for (int row = 0; row < rows.length / columns; row++) {
      int source = row / headDim * headDim + order[row % headDim];
      System.arraycopy(rows, source * columns, moved, row * columns, columns);
    }
    return moved;
  }

  @Test
  void namesGoBothWays() {
    ModelConfig config = TinyModels.config(OptionalInt.of(8));
    for (String name : WeightNames.shapes(config).keySet()) {
      assertThat(GgufTensorNames.toHuggingFace(GgufTensorNames.toGguf(name))).contains(name);
    }
    assertThat(GgufTensorNames.toGguf(LayerWeight.DOWN.name(12)))
        .isEqualTo("blk.12.ffn_down.weight");
    for (String foreign :
        List.of("blk.0.attn_q.bias", "blk.00.attn_q.weight", "blk.0.attn_q_norm.weight", "x")) {
      assertThat(GgufTensorNames.toHuggingFace(foreign)).isEqualTo(Optional.empty());
    }
    assertThatThrownBy(() -> GgufTensorNames.toGguf("model.layers.0.self_attn.q_proj.bias"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theConfigurationIsThatOfTheMetadata() throws IOException {
    ModelConfig config = config(Map.of());
    assertThat(config)
        .isEqualTo(
            new ModelConfig(
                "llama",
                5,
                32,
                64,
                1,
                4,
                2,
                8,
                1e-5,
                10000,
                OptionalInt.empty(),
                99,
                true,
                OptionalInt.of(1),
                List.of(2),
                0.02));
    config =
        config(
            Map.of(
                "llama.attention.sliding_window", GgufValue.of(7),
                "llama.attention.key_length", GgufValue.of(16),
                "llama.attention.value_length", GgufValue.of(16),
                "llama.rope.dimension_count", GgufValue.of(16),
                "llama.rope.freq_base", GgufValue.of(1e6f),
                "llama.vocab_size", GgufValue.of(9),
                "tokenizer.ggml.eot_token_id", GgufValue.of(3)));
    assertThat(config.modelType()).isEqualTo("mistral");
    assertThat(config.slidingWindow()).hasValue(7);
    assertThat(config.headDim()).isEqualTo(16);
    assertThat(config.ropeTheta()).isEqualTo(1e6);
    assertThat(config.vocabSize()).isEqualTo(9);
    assertThat(config.eosTokenIds()).containsExactly(2, 3);
  }

  @Test
  void whatMoxinDoesNotComputeIsRefused() {
    assertRefused("general.architecture", GgufValue.of("qwen2"), "expected llama or mistral");
    assertRefused("llama.expert_count", GgufValue.of(8), "expected no experts");
    assertRefused("llama.rope.scaling.factor", GgufValue.of(8f), "plain rotary embeddings");
    assertRefused("llama.rope.scaling.type", GgufValue.of("yarn"), "plain rotary embeddings");
    assertRefused("llama.rope.dimension_count", GgufValue.of(4), "the dimension of the keys");
    assertRefused("llama.attention.causal", GgufValue.of(false), "expected true");
    assertRefused("llama.block_count", GgufValue.of(1 << 20), "num_hidden_layers");
    assertRefused("llama.block_count", GgufValue.of("x"), "expected a whole number");
    assertRefused("tokenizer.ggml.eos_token_id", GgufValue.of(5), "outside the vocabulary");
    assertThatThrownBy(
            () -> {
              Path file = write(metadata(), info("blk.0.attn_q.bias", F32, 0, 8));
              try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
                checkpoint.config();
              }
            })
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("blk.0.attn_q.bias belongs to a model that Moxin does not compute");
  }

  @Test
  void tensorsThatLieAreOneLine() throws IOException {
    assertThat(open(info("a", F32, 0, 8), info("b", F32, 32, 8)).names()).containsExactly("a", "b");
    assertFails("expected them within its 64", info("a", F32, 0, 17));
    assertFails("expected them within its 64", info("a", F32, 64, 1));
    assertFails("expected them within its 64", info("a", F32, Long.MAX_VALUE / 32 * 32, 1));
    assertFails("expected it after that before", info("a", F32, 0, 16), info("b", F32, 32, 1));
    assertFails("expected it after that before", info("b", F32, 32, 1), info("a", F32, 0, 16));
    assertFails("is too large", info("a", F32, 0, 1L << 62));
    assertFails("is too large", info("a", F32, 0, 1L << 40, 1L << 40));
    assertFails("ggml's type 11, expected one of", info("a", Q3_K, 0, 256));
    assertFails("ggml's type 4294967295", info("a", -1, 0, 8));
    assertFails("no whole number of blocks of 32", info("a", Q4_0, 0, 33, 1));
    assertFails(
        "a second tensor model.norm.weight",
        info("output_norm.weight", F32, 0, 8),
        info("model.norm.weight", F32, 32, 8));
    assertThat(open(info("a", Q4_0, 0, 32, 2), info("e", F32, 0, 0)).names()).hasSize(2);
    assertThatThrownBy(() -> GgufCheckpoint.open(directory.resolve("absent")))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("no such file");
  }

  @Test
  @Timeout(120)
  void damagedFilesAreTypedErrors(Random random) throws IOException {
    Path file =
        write(
            metadata(),
            info("token_embd.weight", Q4_0, 0, 32, 2),
            info("output_norm.weight", F32, 64, 0));
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < Rounds.of(5000); i++) {
      byte[] bytes = whole.clone();
      for (int times = 1 + random.nextInt(4); times > 0; times--) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(4)) {
          case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> bytes[at] = (byte) random.nextInt(256);
          case 2 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) 0xff);
          default -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        }
      }
      Files.write(file, bytes);
      Throwable thrown =
          catchThrowable(
              () -> {
                try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
                  for (String name : checkpoint.names()) {
                    TensorView view = checkpoint.tensor(name);
                    if (view.dtype().isFloatingPoint() || view.dtype().isQuantised()) {
                      assertThat(Precision.widen(view)).hasSize((int) view.elements());
                    }
                  }
                  WeightNames.requireComplete(checkpoint, checkpoint.config());
                }
              });
      // One norm and the embedding are no whole model, so that something is always missing.
      assertThat(thrown)
          .isInstanceOfAny(CheckpointFormatException.class, GgufFormatException.class);
      assertThat(thrown.getMessage()).doesNotContain("\n").hasSizeLessThan(1000);
    }
  }

  private void assertRefused(String key, GgufValue value, String message) {
    assertThatThrownBy(() -> config(Map.of(key, value)))
        .isInstanceOfAny(CheckpointFormatException.class, GgufFormatException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  private ModelConfig config(Map<String, GgufValue> changed) throws IOException {
    Map<String, GgufValue> pairs = metadata();
    pairs.putAll(changed);
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(write(pairs))) {
      return checkpoint.config();
    }
  }

  private GgufCheckpoint open(GgufTensorInfo... tensors) throws IOException {
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(write(metadata(), tensors))) {
      return checkpoint;
    }
  }

  private void assertFails(String message, GgufTensorInfo... tensors) throws IOException {
    Path file = write(metadata(), tensors);
    assertThatThrownBy(() -> GgufCheckpoint.open(file).close())
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining(message)
        .hasMessageStartingWith(file.toString())
        .hasMessageNotContaining("\n");
  }

  /// A file with 64 bytes of data.
  private Path write(Map<String, GgufValue> pairs, GgufTensorInfo... tensors) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(GgufHeaderWriter.toBytes(pairs, List.of(tensors)));
    bytes.writeBytes(new byte[64]);
    return Files.write(directory.resolve("model.gguf"), bytes.toByteArray());
  }

  private static GgufTensorInfo info(String name, int type, long offset, long... dimensions) {
    List<Long> list = new ArrayList<>();
    Arrays.stream(dimensions).forEach(list::add);
    return new GgufTensorInfo(name, list, type, offset);
  }

  private static Map<String, GgufValue> metadata() {
    Map<String, GgufValue> pairs = new LinkedHashMap<>();
    pairs.put("general.architecture", GgufValue.of("llama"));
    pairs.put("llama.context_length", GgufValue.of(99));
    pairs.put("llama.embedding_length", GgufValue.of(32));
    pairs.put("llama.feed_forward_length", GgufValue.of(64));
    pairs.put("llama.block_count", GgufValue.of(1));
    pairs.put("llama.attention.head_count", GgufValue.of(4));
    pairs.put("llama.attention.head_count_kv", GgufValue.of(2));
    pairs.put("llama.attention.layer_norm_rms_epsilon", GgufValue.of(1e-5f));
    pairs.put("tokenizer.ggml.model", GgufValue.of("llama"));
    pairs.put(
        "tokenizer.ggml.tokens", new GgufValue.Texts(List.of("<unk>", "<s>", "</s>", "a", "b")));
    return pairs;
  }
}
