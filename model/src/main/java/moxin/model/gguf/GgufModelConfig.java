package moxin.model.gguf;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import moxin.model.CheckpointFormatException;
import moxin.model.ModelConfig;
import moxin.text.gguf.GgufMetadata;
import moxin.text.gguf.GgufValue;

/// A model's configuration from the metadata of a GGUF file, and into it. Keys that ask for
/// something Moxin does not compute are errors.
public final class GgufModelConfig {

  /// Says which of Hugging Face's model types a file was made from; GGUF has one architecture for
  /// both.
  static final String MODEL_TYPE = "moxin.model_type";

  /// The architecture under which llama.cpp runs both model types.
  private static final String WRITTEN = "llama";

  private static final int QUANTISATION_VERSION = 2;
  private static final int DEFAULT_BEGIN = 1;
  private static final int DEFAULT_END = 2;
  private static final double DEFAULT_INITIALIZER_RANGE = 0.02;
  private static final String TOKENS = "tokenizer.ggml.";

  private final GgufMetadata metadata;
  private final String architecture;

  private GgufModelConfig(GgufMetadata metadata, String architecture) {
    this.metadata = metadata;
    this.architecture = architecture;
  }

  /// The configuration that `metadata` describes.
  ///
  /// @param hasOutput whether the file has an output projection of its own
  /// @throws CheckpointFormatException if it describes a model that Moxin does not run
  /// @throws moxin.text.gguf.GgufFormatException if a value is missing or of a wrong type
  public static ModelConfig read(GgufMetadata metadata, boolean hasOutput) {
    String key = "general.architecture";
    String architecture =
        metadata.text(key).orElseThrow(() -> metadata.wrong(key, null, "llama or mistral"));
    if (!architecture.equals("llama") && !architecture.equals("mistral")) {
      throw metadata.wrong(key, architecture, "llama or mistral");
    }
    GgufModelConfig config = new GgufModelConfig(metadata, architecture);
    config.requireComputable();
    try {
      return config.config(hasOutput);
    } catch (IllegalArgumentException e) {
      throw new CheckpointFormatException(metadata.origin() + ": " + e.getMessage(), e);
    }
  }

  /// The pairs that describe a model of `config`, its tokenizer apart.
  ///
  /// @param name of the model
  static Map<String, GgufValue> pairs(ModelConfig config, String name, QuantisationMix mix) {
    Map<String, GgufValue> pairs = new LinkedHashMap<>();
    pairs.put("general.architecture", GgufValue.of(WRITTEN));
    pairs.put("general.type", GgufValue.of("model"));
    pairs.put("general.name", GgufValue.of(name));
    pairs.put("general.file_type", GgufValue.of(mix.fileType()));
    if (mix.type().isQuantised()) {
      pairs.put("general.quantization_version", GgufValue.of(QUANTISATION_VERSION));
    }
    put(pairs, "vocab_size", config.vocabSize());
    put(pairs, "context_length", config.maxPositionEmbeddings());
    put(pairs, "embedding_length", config.hiddenSize());
    put(pairs, "feed_forward_length", config.intermediateSize());
    put(pairs, "block_count", config.numHiddenLayers());
    put(pairs, "attention.head_count", config.numAttentionHeads());
    put(pairs, "attention.head_count_kv", config.numKeyValueHeads());
    put(pairs, "attention.key_length", config.headDim());
    put(pairs, "attention.value_length", config.headDim());
    put(pairs, "rope.dimension_count", config.headDim());
    pairs.put(
        WRITTEN + ".attention.layer_norm_rms_epsilon", GgufValue.of((float) config.rmsNormEps()));
    pairs.put(WRITTEN + ".rope.freq_base", GgufValue.of((float) config.ropeTheta()));
    config.slidingWindow().ifPresent(w -> put(pairs, "attention.sliding_window", w));
    pairs.put(MODEL_TYPE, GgufValue.of(config.modelType()));
    return pairs;
  }

  /// The pairs for the ids that begin and end a sequence, which hold whatever the tokenizer says.
  static Map<String, GgufValue> tokenPairs(ModelConfig config) {
    Map<String, GgufValue> pairs = new LinkedHashMap<>();
    config.bosTokenId().ifPresent(id -> pairs.put(TOKENS + "bos_token_id", GgufValue.of(id)));
    List<Integer> ends = config.eosTokenIds();
    if (!ends.isEmpty()) {
      pairs.put(TOKENS + "eos_token_id", GgufValue.of(ends.getFirst()));
    }
    if (ends.size() > 1) {
      pairs.put(TOKENS + "eot_token_id", GgufValue.of(ends.get(1)));
    }
    return pairs;
  }

  private static void put(Map<String, GgufValue> pairs, String name, int value) {
    pairs.put(WRITTEN + "." + name, GgufValue.of(value));
  }

  private ModelConfig config(boolean hasOutput) {
    int heads = required("attention.head_count");
    int hidden = required("embedding_length");
    int headDim = headDim(hidden, heads);
    OptionalInt window = window();
    return new ModelConfig(
        modelType(window),
        vocabSize(),
        hidden,
        required("feed_forward_length"),
        required("block_count"),
        heads,
        integer("attention.head_count_kv").orElse(heads),
        headDim,
        metadata
            .number(key("attention.layer_norm_rms_epsilon"))
            .orElseThrow(() -> missing("attention.layer_norm_rms_epsilon")),
        metadata.number(key("rope.freq_base")).orElse(10000),
        window,
        required("context_length"),
        !hasOutput,
        begin(),
        ends(),
        DEFAULT_INITIALIZER_RANGE);
  }

  private void requireComputable() {
    int experts = integer("expert_count").orElse(0);
    if (experts > 0) {
      throw metadata.wrong(key("expert_count"), Integer.toString(experts), "no experts");
    }
    for (String factor : List.of("rope.scaling.factor", "rope.scale_linear")) {
      double value = metadata.number(key(factor)).orElse(1);
      if (value != 1 && value != 0) {
        throw metadata.wrong(key(factor), Double.toString(value), "plain rotary embeddings");
      }
    }
    String scaling = metadata.text(key("rope.scaling.type")).orElse("none");
    if (!scaling.equals("none") && !scaling.equals("linear")) {
      throw metadata.wrong(key("rope.scaling.type"), scaling, "plain rotary embeddings");
    }
    if (!metadata.flag(key("attention.causal")).orElse(true)) {
      throw metadata.wrong(key("attention.causal"), "false", "true");
    }
  }

  private int headDim(int hidden, int heads) {
    OptionalInt stated = integer("attention.key_length");
    if (stated.isEmpty() && (heads == 0 || hidden % heads != 0)) {
      throw missing("attention.key_length");
    }
    int headDim = stated.isPresent() ? stated.getAsInt() : hidden / heads;
    for (String other : List.of("attention.value_length", "rope.dimension_count")) {
      int value = integer(other).orElse(headDim);
      if (value != headDim) {
        throw metadata.wrong(
            key(other), Integer.toString(value), headDim + ", the dimension of the keys");
      }
    }
    return headDim;
  }

  private OptionalInt window() {
    OptionalInt window = integer("attention.sliding_window");
    return window.isPresent() && window.getAsInt() == 0 ? OptionalInt.empty() : window;
  }

  private String modelType(OptionalInt window) {
    boolean mistral = architecture.equals("mistral") || window.isPresent();
    return metadata.text(MODEL_TYPE).orElse(mistral ? "mistral" : "llama");
  }

  private int vocabSize() {
    OptionalInt stated = integer("vocab_size");
    if (stated.isPresent()) {
      return stated.getAsInt();
    }
    if (metadata.value(TOKENS + "tokens").orElse(null) instanceof GgufValue.Texts tokens) {
      return tokens.values().size();
    }
    throw missing("vocab_size");
  }

  private OptionalInt begin() {
    OptionalInt begin = metadata.integer(TOKENS + "bos_token_id");
    return begin.isEmpty() && isSentencePiece() ? OptionalInt.of(DEFAULT_BEGIN) : begin;
  }

  private List<Integer> ends() {
    Set<Integer> ends = new LinkedHashSet<>();
    metadata.integer(TOKENS + "eos_token_id").ifPresent(ends::add);
    if (ends.isEmpty() && isSentencePiece()) {
      ends.add(DEFAULT_END);
    }
    metadata.integer(TOKENS + "eot_token_id").ifPresent(ends::add);
    return List.copyOf(ends);
  }

  private boolean isSentencePiece() {
    return metadata.text(TOKENS + "model").orElse("").equals("llama");
  }

  private int required(String name) {
    return integer(name).orElseThrow(() -> missing(name));
  }

  private OptionalInt integer(String name) {
    return metadata.integer(key(name));
  }

  private moxin.text.gguf.GgufFormatException missing(String name) {
    return metadata.wrong(key(name), null, "a value");
  }

  private String key(String name) {
    return architecture + "." + name;
  }
}
