package moxin.train.adapter;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Optional;
import moxin.model.WeightNames.LayerWeight;

/// The linear layers of a block that an adapter can be on, under the names that PEFT uses.
public enum AdapterTarget {
  @JsonProperty("q_proj")
  QUERY(LayerWeight.QUERY, "q_proj"),
  @JsonProperty("k_proj")
  KEY(LayerWeight.KEY, "k_proj"),
  @JsonProperty("v_proj")
  VALUE(LayerWeight.VALUE, "v_proj"),
  @JsonProperty("o_proj")
  ATTENTION_OUTPUT(LayerWeight.ATTENTION_OUTPUT, "o_proj"),
  @JsonProperty("gate_proj")
  GATE(LayerWeight.GATE, "gate_proj"),
  @JsonProperty("up_proj")
  UP(LayerWeight.UP, "up_proj"),
  @JsonProperty("down_proj")
  DOWN(LayerWeight.DOWN, "down_proj");

  private final LayerWeight weight;
  private final String module;

  AdapterTarget(LayerWeight weight, String module) {
    this.weight = weight;
    this.module = module;
  }

  /// The weight that it adds to, `(out, in)`.
  public LayerWeight weight() {
    return weight;
  }

  /// The last part of the module's name.
  public String module() {
    return module;
  }

  /// The target whose module's name is or ends with `name`, as `q_proj` or `self_attn.q_proj`.
  static Optional<AdapterTarget> of(String name) {
    for (AdapterTarget target : values()) {
      String first = target.weight.name(0);
      String path = first.substring(first.indexOf(".0.") + 3, first.lastIndexOf('.'));
      if (name.equals(target.module) || name.equals(path)) {
        return Optional.of(target);
      }
    }
    return Optional.empty();
  }
}
