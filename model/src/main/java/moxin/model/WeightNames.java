package moxin.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The names and shapes of a model's weights, as Hugging Face names them. Projections are stored
/// `(out, in)`; query and key rows are in half-split order for RoPE.
public final class WeightNames {

  /// The embedding, `(V, C)`.
  public static final String EMBEDDING = "model.embed_tokens.weight";

  /// The RMSNorm after the last block, `(C)`.
  public static final String FINAL_NORM = "model.norm.weight";

  /// The output projection, `(V, C)`; absent where it is the embedding.
  public static final String LM_HEAD = "lm_head.weight";

  private WeightNames() {}

  /// The weights of one block.
  public enum LayerWeight {
    ATTENTION_NORM("input_layernorm"),
    QUERY("self_attn.q_proj"),
    KEY("self_attn.k_proj"),
    VALUE("self_attn.v_proj"),
    ATTENTION_OUTPUT("self_attn.o_proj"),
    FEED_FORWARD_NORM("post_attention_layernorm"),
    GATE("mlp.gate_proj"),
    UP("mlp.up_proj"),
    DOWN("mlp.down_proj");

    private final String module;

    LayerWeight(String module) {
      this.module = module;
    }

    /// The name of this weight in block `layer`.
    public String name(int layer) {
      return "model.layers." + layer + "." + module + ".weight";
    }

    /// Its shape in a model of `config`.
    public List<Long> shape(ModelConfig config) {
      long hidden = config.hiddenSize();
      long intermediate = config.intermediateSize();
      long queries = (long) config.numAttentionHeads() * config.headDim();
      long keys = (long) config.numKeyValueHeads() * config.headDim();
      return switch (this) {
        case ATTENTION_NORM, FEED_FORWARD_NORM -> List.of(hidden);
        case QUERY -> List.of(queries, hidden);
        case KEY, VALUE -> List.of(keys, hidden);
        case ATTENTION_OUTPUT -> List.of(hidden, queries);
        case GATE, UP -> List.of(intermediate, hidden);
        case DOWN -> List.of(hidden, intermediate);
      };
    }
  }

  /// Every weight of a model of `config` with its shape, in the order of the forward pass.
  public static Map<String, List<Long>> shapes(ModelConfig config) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    List<Long> vocabulary = List.of((long) config.vocabSize(), (long) config.hiddenSize());
    shapes.put(EMBEDDING, vocabulary);
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      for (LayerWeight weight : LayerWeight.values()) {
        shapes.put(weight.name(layer), weight.shape(config));
      }
    }
    shapes.put(FINAL_NORM, List.of((long) config.hiddenSize()));
    if (!config.tieWordEmbeddings()) {
      shapes.put(LM_HEAD, vocabulary);
    }
    return Collections.unmodifiableMap(shapes);
  }

  /// Every weight as a specification for [SafetensorsWriter], all of one dtype.
  public static List<TensorSpec> specs(ModelConfig config, DType dtype) {
    return shapes(config).entrySet().stream()
        .map(weight -> new TensorSpec(weight.getKey(), dtype, weight.getValue()))
        .toList();
  }

  /// The name of the output projection: the embedding's where they are tied.
  public static String outputProjection(ModelConfig config) {
    return config.tieWordEmbeddings() ? EMBEDDING : LM_HEAD;
  }

  /// Checks that `checkpoint` has every weight of `config` in its shape and in a floating-point
  /// dtype, or for matrices in a quantised one. Further tensors are allowed.
  ///
  /// @throws CheckpointFormatException naming the first that is missing or differs
  public static void requireComplete(Checkpoint checkpoint, ModelConfig config) {
    shapes(config).forEach((name, shape) -> requireWeight(checkpoint, name, shape));
  }

  private static void requireWeight(Checkpoint checkpoint, String name, List<Long> shape) {
    if (!checkpoint.names().contains(name)) {
      throw new CheckpointFormatException(
          checkpoint.origin()
              + ": no tensor "
              + name
              + " "
              + shape
              + "; the configuration asks for it");
    }
    TensorView view = checkpoint.tensor(name);
    if (!view.shape().equals(shape)) {
      throw new CheckpointFormatException(
          checkpoint.origin()
              + ": "
              + name
              + " has shape "
              + view.shape()
              + ", the configuration asks for "
              + shape);
    }
    boolean quantisedMatrix = view.dtype().isQuantised() && shape.size() == 2;
    if (!view.dtype().isFloatingPoint() && !quantisedMatrix) {
      throw new CheckpointFormatException(
          checkpoint.origin()
              + ": "
              + name
              + " is of "
              + view.dtype()
              + ", expected F32, BF16, F16 or F64"
              + (shape.size() == 2 ? ", or a quantised type" : ""));
    }
  }
}
