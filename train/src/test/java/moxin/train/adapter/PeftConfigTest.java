package moxin.train.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import moxin.model.CheckpointFormatException;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Seeded
class PeftConfigTest {
  /// With the keys and defaults that PEFT 0.17 writes.
  private static final String WRITTEN_BY_PEFT =
      """
      {
        "alpha_pattern": {},
        "auto_mapping": null,
        "base_model_name_or_path": "mistralai/Mistral-7B-v0.1",
        "bias": "none",
        "corda_config": null,
        "eva_config": null,
        "exclude_modules": null,
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "layer_replication": null,
        "layers_pattern": null,
        "layers_to_transform": null,
        "loftq_config": {},
        "lora_alpha": 16,
        "lora_bias": false,
        "lora_dropout": 0.05,
        "megatron_config": null,
        "megatron_core": "megatron.core",
        "modules_to_save": null,
        "peft_type": "LORA",
        "qalora_group_size": 16,
        "r": 64,
        "rank_pattern": {},
        "revision": null,
        "target_modules": ["v_proj", "mlp.down_proj", "q_proj"],
        "target_parameters": null,
        "task_type": "CAUSAL_LM",
        "trainable_token_indices": null,
        "use_dora": false,
        "use_qalora": false,
        "use_rslora": false
      }
      """;

  @TempDir private Path directory = Path.of("");

  @Test
  void whatPeftWritesIsRead() throws IOException {
    Files.writeString(directory.resolve("adapter_config.json"), WRITTEN_BY_PEFT);
    PeftConfig config = PeftConfig.read(directory);
    assertThat(config.base()).contains("mistralai/Mistral-7B-v0.1");
    assertThat(config.settings())
        .isEqualTo(
            new AdapterSettings(
                64, 16, EnumSet.of(AdapterTarget.QUERY, AdapterTarget.VALUE, AdapterTarget.DOWN)));
    assertThat(config.settings().scale()).isEqualTo(0.25);
  }

  @Test
  void everyKeyThatIsWrittenIsOneOfPeftsWithItsType() throws IOException {
    var all = new AdapterSettings(16, 32, EnumSet.allOf(AdapterTarget.class));
    PeftConfig config = new PeftConfig(all, Optional.of("base"));
    config.write(directory);
    assertThat(PeftConfig.read(directory)).isEqualTo(config);

    JsonNode peft = new JsonMapper().readTree(WRITTEN_BY_PEFT);
    JsonNode ours = new JsonMapper().readTree(config.toJson());
    ours.fieldNames()
        .forEachRemaining(
            key -> {
              assertThat(peft.has(key)).as(key).isTrue();
              if (!peft.get(key).isNull() && !key.equals("lora_dropout")) {
                assertThat(ours.get(key).getNodeType())
                    .as(key)
                    .isEqualTo(peft.get(key).getNodeType());
              }
            });
    assertThat(ours.get("lora_alpha").isInt()).isTrue();
    assertThat(ours.get("target_modules")).hasSize(7);
    PeftConfig odd = new PeftConfig(new AdapterSettings(1, 0.5, all.targets()), Optional.empty());
    odd.write(directory);
    assertThat(PeftConfig.read(directory)).isEqualTo(odd);
  }

  @Test
  void whatIsLeftOutHasPeftsDefaults() {
    PeftConfig config = parse("{\"peft_type\": \"LORA\", \"target_modules\": \"all-linear\"}");
    assertThat(config.settings())
        .isEqualTo(new AdapterSettings(8, 8, EnumSet.allOf(AdapterTarget.class)));
  }

  @Test
  void whatIsNotSupportedIsNamed() {
    for (List<String> wrong :
        List.of(
            List.of("\"LORA\"", "\"IA3\"", "peft_type is \"IA3\""),
            List.of("\"rank_pattern\": {}", "\"rank_pattern\": {\"q_proj\": 3}", "rank_pattern"),
            List.of("\"alpha_pattern\": {}", "\"alpha_pattern\": {\"q_proj\": 3}", "alpha_pattern"),
            List.of("\"use_rslora\": false", "\"use_rslora\": true", "use_rslora is true"),
            List.of("\"use_dora\": false", "\"use_dora\": true", "use_dora"),
            List.of("\"bias\": \"none\"", "\"bias\": \"all\"", "bias is \"all\""),
            List.of("\"modules_to_save\": null", "\"modules_to_save\": [\"lm_head\"]", "_to_save"),
            List.of("\"layers_to_transform\": null", "\"layers_to_transform\": 3", "is 3"),
            List.of("\"fan_in_fan_out\": false", "\"fan_in_fan_out\": true", "fan_in_fan_out"),
            List.of("\"mlp.down_proj\"", "\"lm_head\"", "target_modules has \"lm_head\""),
            List.of("[\"v_proj\", \"mlp.down_proj\", \"q_proj\"]", "\".*_proj\"", "patterns"),
            List.of("[\"v_proj\", \"mlp.down_proj\", \"q_proj\"]", "[]", "targets"),
            List.of("\"r\": 64", "\"r\": 0", "rank must be in"),
            List.of("\"r\": 64", "\"r\": 9000000000", "rank must be in"),
            List.of("\"r\": 64", "\"r\": 1.5", "r is 1.5"),
            List.of("\"lora_alpha\": 16", "\"lora_alpha\": -1", "alpha must be positive"),
            List.of("\"lora_alpha\": 16", "\"lora_alpha\": \"x\"", "lora_alpha is \"x\""),
            List.of("\"r\": 64", "\"r\": 64, \"r\": 3", "no valid JSON"),
            List.of("\"r\": 64", "\"r\": ", "no valid JSON"))) {
      String json = WRITTEN_BY_PEFT.replace(wrong.get(0), wrong.get(1));
      assertThat(json).isNotEqualTo(WRITTEN_BY_PEFT);
      assertThatThrownBy(() -> parse(json))
          .as(wrong.get(1))
          .isInstanceOf(CheckpointFormatException.class)
          .hasMessageContaining(wrong.get(2))
          .hasMessageStartingWith("here: ")
          .hasMessageNotContaining("\n");
    }
    assertThatThrownBy(() -> PeftConfig.read(directory))
        .isInstanceOf(CheckpointFormatException.class)
        .hasMessageContaining("is this a PEFT adapter");
  }

  @Test
  void damagedFilesAreRefusedOrRead(Random random) {
    byte[] whole = WRITTEN_BY_PEFT.getBytes(StandardCharsets.UTF_8);
    for (int round = 0; round < 2000; round++) {
      byte[] damaged = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      for (int i = 0; i < random.nextInt(4); i++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      try {
        assertThat(PeftConfig.parse("here", damaged).settings().rank()).isPositive();
      } catch (CheckpointFormatException e) {
        assertThat(e.getMessage()).startsWith("here: ").doesNotContain("\n");
      }
    }
  }

  private static PeftConfig parse(String json) {
    return PeftConfig.parse("here", json.getBytes(StandardCharsets.UTF_8));
  }
}
