package moxin.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import moxin.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ModelConfigTest {

  private static final String SIZES =
      """
      "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
      "num_attention_heads": 4""";

  @Test
  void moxinHasItsParameters() {
    assertThat(ModelConfig.moxin7b().parameterCount()).isEqualTo(8_114_180_096L);
    assertThat(elements(ModelConfig.moxin7b())).isEqualTo(8_114_180_096L);
  }

  @Test
  void tiedEmbeddingsCountOnce() {
    ModelConfig quickstart = ModelConfig.quickstart();
    assertThat(quickstart.parameterCount()).isEqualTo(elements(quickstart));
    assertThat(WeightNames.shapes(quickstart)).doesNotContainKey(WeightNames.LM_HEAD);
  }

  @Test
  void writtenConfigReadsBackTheSame(@TempDir Path directory) throws Exception {
    ModelConfig manyEnds = llama("\"eos_token_id\": [2, 3], \"bos_token_id\": null");
    ModelConfig full = ModelConfig.moxin7b().withSlidingWindow(OptionalInt.empty());
    for (ModelConfig config : List.of(ModelConfig.moxin7b(), full, manyEnds)) {
      ModelConfigFile.write(directory, config, DType.BF16);
      assertThat(ModelConfigFile.read(directory)).isEqualTo(config);
    }
  }

  @Test
  void absentKeysHaveTheDefaultsOfTransformers() {
    ModelConfig llama = llama("\"never_heard_of\": {\"a\": [1]}");
    assertThat(llama.numKeyValueHeads()).isEqualTo(4);
    assertThat(llama.headDim()).isEqualTo(8);
    assertThat(llama.ropeTheta()).isEqualTo(10000);
    assertThat(llama.rmsNormEps()).isEqualTo(1e-6);
    assertThat(llama.maxPositionEmbeddings()).isEqualTo(2048);
    assertThat(llama.tieWordEmbeddings()).isFalse();
    assertThat(llama.bosTokenId()).isEmpty();
    assertThat(llama.eosTokenIds()).isEmpty();
    ModelConfig mistral = parse("mistral", "\"head_dim\": null");
    assertThat(mistral.slidingWindow()).hasValue(4096);
    assertThat(mistral.maxPositionEmbeddings()).isEqualTo(131072);
  }

  @Test
  void windowIsMistralsAndMayBeNull() {
    assertThat(parse("mistral", "\"sliding_window\": 8").slidingWindow()).hasValue(8);
    assertThat(parse("mistral", "\"sliding_window\": null").slidingWindow()).isEmpty();
    assertThat(llama("\"sliding_window\": 8").slidingWindow()).isEmpty();
  }

  @Test
  void ropeBaseMayStandInRopeParameters() {
    String plain = "\"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"default\"}";
    assertThat(llama(plain).ropeTheta()).isEqualTo(500_000);
    assertThat(llama("\"rope_parameters\": {\"rope_theta\": 7}").ropeTheta()).isEqualTo(7);
    assertThat(llama("\"rope_scaling\": null").ropeTheta()).isEqualTo(10000);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "rope_scaling": {"type": "linear", "factor": 2.0} | rope_scaling
          "rope_parameters": {"rope_type": "yarn"}          | rope_parameters
          "rope_theta": 0                                   | rope_theta
          "hidden_act": "gelu"                              | hidden_act
          "attention_bias": true                            | attention_bias
          "quantization_config": {"bits": 4}                | quantization_config
          "head_dim": 7                                     | head_dim 7 is odd
          "head_dim": 8.5                                   | head_dim
          "num_key_value_heads": 3                          | num_key_value_heads
          "num_key_value_heads": -4                         | num_key_value_heads
          "max_position_embeddings": 99999999999            | max_position_embeddings
          "rms_norm_eps": "small"                           | rms_norm_eps
          "tie_word_embeddings": 1                          | tie_word_embeddings
          "bos_token_id": 100                               | bos_token_id 100
          "eos_token_id": [2, "x"]                          | eos_token_id
          "hidden_size": 32                                 | hidden_size
          """)
  void configThatCannotBeRunIsOneLineWithTheKey(String json, String message) {
    assertThatThrownBy(() -> llama(json))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageStartingWith("here")
        .hasMessageContaining(message.strip())
        .hasMessageNotContaining("\n");
  }

  @Test
  void missingSizesAndOtherModelsAreErrors() {
    assertThatThrownBy(() -> ModelConfigFile.parse("here", "{\"model_type\": \"gpt2\"}"))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("gpt2");
    assertThatThrownBy(() -> ModelConfigFile.parse("here", "{\"model_type\": \"llama\"}"))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("num_attention_heads: expected a whole number, found nothing");
    assertThatThrownBy(() -> ModelConfigFile.read(Path.of("no/such/directory/config.json")))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("no such file");
  }

  @Test
  void configsOfTheReferenceModelsAreRead() throws Exception {
    ModelConfig stories = ModelConfigFile.read(SharedData.require("reference/stories260K-hf"));
    assertThat(stories.slidingWindow()).isEmpty();
    assertThat(stories.numKeyValueHeads()).isEqualTo(4);
    Path verl = SharedData.require("checkpoints/verl-arithmetic-llama");
    ModelConfig arithmetic = ModelConfigFile.read(verl);
    assertThat(arithmetic.bosTokenId()).isEmpty();
    assertThat(arithmetic.eosTokenIds()).containsExactly(1);
    assertThat(arithmetic.headDim()).isEqualTo(32);
  }

  private static ModelConfig llama(String more) {
    return parse("llama", more);
  }

  private static ModelConfig parse(String type, String more) {
    return ModelConfigFile.parse(
        "here", "{\"model_type\": \"" + type + "\", " + SIZES + ", " + more + "}");
  }

  private static long elements(ModelConfig config) {
    return WeightNames.shapes(config).values().stream()
        .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
        .sum();
  }
}
