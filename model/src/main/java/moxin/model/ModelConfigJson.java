package moxin.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The keys of `config.json` and what they mean. Absent keys have the defaults of transformers'
/// `LlamaConfig` and `MistralConfig`; unknown keys are passed over, keys that ask for something
/// Moxin does not compute are errors.
final class ModelConfigJson {

  private static final int MISTRAL_DEFAULT_WINDOW = 4096;
  private static final int MISTRAL_DEFAULT_POSITIONS = 131072;
  private static final int LLAMA_DEFAULT_POSITIONS = 2048;

  private final String origin;
  private final ObjectNode root;

  private ModelConfigJson(String origin, ObjectNode root) {
    this.origin = origin;
    this.root = root;
  }

  static ModelConfig parse(String origin, ObjectNode root) {
    ModelConfigJson json = new ModelConfigJson(origin, root);
    json.requireComputable();
    try {
      return json.config();
    } catch (IllegalArgumentException e) {
      throw new CheckpointFormatException(origin + ": " + e.getMessage(), e);
    }
  }

  private ModelConfig config() {
    String modelType = root.path("model_type").asText("");
    boolean mistral = modelType.equals("mistral");
    int heads = integer("num_attention_heads");
    int hidden = integer("hidden_size");
    return new ModelConfig(
        modelType,
        integer("vocab_size"),
        hidden,
        integer("intermediate_size"),
        integer("num_hidden_layers"),
        heads,
        integer("num_key_value_heads", heads),
        present("head_dim") ? integer("head_dim") : headDim(hidden, heads),
        number(root, "rms_norm_eps", 1e-6),
        ropeTheta(),
        mistral ? slidingWindow() : OptionalInt.empty(),
        integer(
            "max_position_embeddings",
            mistral ? MISTRAL_DEFAULT_POSITIONS : LLAMA_DEFAULT_POSITIONS),
        flag("tie_word_embeddings"),
        tokens("bos_token_id").stream().mapToInt(Integer::intValue).findFirst(),
        tokens("eos_token_id"),
        number(root, "initializer_range", 0.02));
  }

  private void requireComputable() {
    JsonNode modelType = root.path("model_type");
    if (!modelType.asText("").equals("mistral") && !modelType.asText("").equals("llama")) {
      throw wrong("model_type", "mistral or llama", modelType);
    }
    JsonNode activation = root.path("hidden_act");
    if (present("hidden_act") && !activation.asText("").equals("silu")) {
      throw wrong("hidden_act", "silu", activation);
    }
    for (String bias : List.of("attention_bias", "mlp_bias")) {
      if (flag(bias)) {
        throw wrong(bias, "false", root.get(bias));
      }
    }
    if (present("quantization_config")) {
      throw wrong("quantization_config", "unquantised weights", root.get("quantization_config"));
    }
    for (String rope : List.of("rope_scaling", "rope_parameters")) {
      if (present(rope) && !isDefaultRope(root.get(rope), rope)) {
        throw wrong(rope, "plain rotary embeddings", root.get(rope));
      }
    }
  }

  private static boolean isDefaultRope(JsonNode node, String key) {
    JsonNode type = node.has("rope_type") ? node.get("rope_type") : node.path("type");
    boolean isDefault = type.asText("").equals("default");
    return node.isObject()
        && (isDefault || (type.isMissingNode() && key.equals("rope_parameters")));
  }

  private int headDim(int hidden, int heads) {
    if (heads <= 0 || hidden % heads != 0) {
      throw new CheckpointFormatException(
          origin
              + ": hidden_size "
              + hidden
              + " is no multiple of num_attention_heads "
              + heads
              + ", and head_dim is absent");
    }
    return hidden / heads;
  }

  private double ropeTheta() {
    JsonNode parameters = root.path("rope_parameters");
    return parameters.has("rope_theta")
        ? number(parameters, "rope_theta", 10000)
        : number(root, "rope_theta", 10000);
  }

  private OptionalInt slidingWindow() {
    if (!root.has("sliding_window")) {
      return OptionalInt.of(MISTRAL_DEFAULT_WINDOW);
    }
    return present("sliding_window")
        ? OptionalInt.of(integer("sliding_window"))
        : OptionalInt.empty();
  }

  private List<Integer> tokens(String key) {
    JsonNode node = root.path(key);
    List<Integer> ids = new ArrayList<>();
    if (node instanceof ArrayNode list) {
      list.forEach(id -> ids.add(integer(key, id)));
    } else if (present(key)) {
      ids.add(integer(key, node));
    }
    return ids;
  }

  private boolean present(String key) {
    return root.hasNonNull(key);
  }

  private int integer(String key) {
    return integer(key, root.path(key));
  }

  private int integer(String key, int absent) {
    return present(key) ? integer(key) : absent;
  }

  private int integer(String key, JsonNode node) {
    if (!node.isIntegralNumber() || !node.canConvertToInt()) {
      throw wrong(key, "a whole number", node);
    }
    return node.intValue();
  }

  private double number(JsonNode parent, String key, double absent) {
    JsonNode node = parent.path(key);
    if (node.isMissingNode() || node.isNull()) {
      return absent;
    }
    if (!node.isNumber()) {
      throw wrong(key, "a number", node);
    }
    return node.doubleValue();
  }

  private boolean flag(String key) {
    JsonNode node = root.path(key);
    if (present(key) && !node.isBoolean()) {
      throw wrong(key, "true or false", node);
    }
    return node.asBoolean(false);
  }

  private CheckpointFormatException wrong(String key, String expected, JsonNode found) {
    String text = found.isMissingNode() ? "nothing" : CheckpointJson.oneLine(found.toString());
    return new CheckpointFormatException(
        origin + ": " + key + ": expected " + expected + ", found " + text);
  }

  static ObjectNode toJson(ModelConfig config, DType dtype) {
    boolean mistral = config.modelType().equals("mistral");
    ObjectNode root = CheckpointJson.object();
    root.putArray("architectures").add(mistral ? "MistralForCausalLM" : "LlamaForCausalLM");
    config
        .bosTokenId()
        .ifPresentOrElse(id -> root.put("bos_token_id", id), () -> root.putNull("bos_token_id"));
    putTokens(root, "eos_token_id", config.eosTokenIds());
    root.put("head_dim", config.headDim());
    root.put("hidden_act", "silu");
    root.put("hidden_size", config.hiddenSize());
    root.put("initializer_range", config.initializerRange());
    root.put("intermediate_size", config.intermediateSize());
    root.put("max_position_embeddings", config.maxPositionEmbeddings());
    root.put("model_type", config.modelType());
    root.put("num_attention_heads", config.numAttentionHeads());
    root.put("num_hidden_layers", config.numHiddenLayers());
    root.put("num_key_value_heads", config.numKeyValueHeads());
    root.put("rms_norm_eps", config.rmsNormEps());
    root.put("rope_theta", config.ropeTheta());
    if (mistral) {
      config
          .slidingWindow()
          .ifPresentOrElse(
              window -> root.put("sliding_window", window), () -> root.putNull("sliding_window"));
    }
    root.put("tie_word_embeddings", config.tieWordEmbeddings());
    root.put("torch_dtype", torchName(dtype));
    root.put("vocab_size", config.vocabSize());
    return root;
  }

  private static void putTokens(ObjectNode root, String key, List<Integer> ids) {
    switch (ids.size()) {
      case 0 -> root.putNull(key);
      case 1 -> root.put(key, ids.getFirst());
      default -> {
        ArrayNode list = root.putArray(key);
        ids.forEach(list::add);
      }
    }
  }

  private static String torchName(DType dtype) {
    return switch (dtype) {
      case F64 -> "float64";
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      case I64, I32, I16, I8, U8, BOOL, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K ->
          throw new IllegalArgumentException("weights are not of " + dtype);
    };
  }
}
