package moxin.model.gguf;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;

/// The tensors of the llama architecture in GGUF files, and their names in Hugging Face's.
public final class GgufTensorNames {

  private static final String EMBEDDING = "token_embd.weight";
  private static final String FINAL_NORM = "output_norm.weight";

  /// The output projection; a model without it uses the embedding.
  public static final String OUTPUT = "output.weight";

  private static final Pattern BLOCK =
      Pattern.compile("blk\\.(0|[1-9][0-9]{0,4})\\.([a-z_]+)\\.weight");
  private static final Pattern LAYER =
      Pattern.compile("model\\.layers\\.(0|[1-9][0-9]{0,4})\\.([a-z_.]+)\\.weight");

  private static final Map<String, LayerWeight> WEIGHTS =
      Map.of(
          "attn_norm", LayerWeight.ATTENTION_NORM,
          "attn_q", LayerWeight.QUERY,
          "attn_k", LayerWeight.KEY,
          "attn_v", LayerWeight.VALUE,
          "attn_output", LayerWeight.ATTENTION_OUTPUT,
          "ffn_norm", LayerWeight.FEED_FORWARD_NORM,
          "ffn_gate", LayerWeight.GATE,
          "ffn_up", LayerWeight.UP,
          "ffn_down", LayerWeight.DOWN);

  private GgufTensorNames() {}

  /// The name in [WeightNames] of the tensor that GGUF calls `name`; empty for one that a model of
  /// this architecture does not have.
  public static Optional<String> toHuggingFace(String name) {
    return switch (name) {
      case EMBEDDING -> Optional.of(WeightNames.EMBEDDING);
      case FINAL_NORM -> Optional.of(WeightNames.FINAL_NORM);
      case OUTPUT -> Optional.of(WeightNames.LM_HEAD);
      default -> {
        Matcher matcher = BLOCK.matcher(name);
        LayerWeight weight = matcher.matches() ? WEIGHTS.get(matcher.group(2)) : null;
        yield weight == null
            ? Optional.empty()
            : Optional.of(weight.name(Integer.parseInt(matcher.group(1))));
      }
    };
  }

  /// What GGUF calls the weight `name` of [WeightNames].
  ///
  /// @throws IllegalArgumentException if it is none of a model's weights
  public static String toGguf(String name) {
    return switch (name) {
      case WeightNames.EMBEDDING -> EMBEDDING;
      case WeightNames.FINAL_NORM -> FINAL_NORM;
      case WeightNames.LM_HEAD -> OUTPUT;
      default -> layerWeight(name);
    };
  }

  private static String layerWeight(String name) {
    Matcher matcher = LAYER.matcher(name);
    if (matcher.matches()) {
      int layer = Integer.parseInt(matcher.group(1));
      for (Map.Entry<String, LayerWeight> weight : WEIGHTS.entrySet()) {
        if (weight.getValue().name(layer).equals(name)) {
          return "blk." + layer + "." + weight.getKey() + ".weight";
        }
      }
    }
    throw new IllegalArgumentException(name + " is no weight of a llama or mistral model");
  }
}
