package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.EnumSet;
import java.util.List;
import moxin.train.LearnerFactory.AdapterPlan;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.FrozenWeights;
import org.jspecify.annotations.Nullable;

/// Trains a low-rank adapter instead of the model's own weights, which come from the initial
/// checkpoint and stay as they are.
///
/// @param kind whether the model beneath is quantised
/// @param rank 16 unless given
/// @param alpha twice the rank unless given; the adapter is scaled by alpha / rank
/// @param targets the linear layers it is on; all unless given
/// @param base how the matrices beneath are kept: `nf4` or `q4_0` for `qlora`, `nf4` unless given,
///   and `plain`, in the type of the arithmetic, for `lora`
/// @param dropout the probability that an element of an adapter's input is dropped while training;
///   nothing is unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Adapter(
    Kind kind,
    Integer rank,
    Double alpha,
    List<AdapterTarget> targets,
    FrozenWeights base,
    @Nullable Double dropout) {

  public Adapter(
      @Nullable Kind kind,
      @Nullable Integer rank,
      @Nullable Double alpha,
      @Nullable List<AdapterTarget> targets,
      @Nullable FrozenWeights base,
      @Nullable Double dropout) {
    if (kind == null) {
      throw new IllegalArgumentException("adapter needs a kind: lora or qlora");
    }
    this.kind = kind;
    this.rank = rank == null ? 16 : rank;
    this.alpha = alpha == null ? 2.0 * this.rank : alpha;
    this.targets = targets == null ? List.of(AdapterTarget.values()) : List.copyOf(targets);
    FrozenWeights usual = kind == Kind.LORA ? FrozenWeights.PLAIN : FrozenWeights.NF4;
    this.base = base == null ? usual : base;
    if ((this.base == FrozenWeights.PLAIN) != (kind == Kind.LORA)) {
      throw new IllegalArgumentException("adapter's base is plain for lora, nf4 or q4_0 for qlora");
    }
    if (this.targets.isEmpty() || EnumSet.copyOf(this.targets).size() < this.targets.size()) {
      throw new IllegalArgumentException("adapter's targets must be some layers, each named once");
    }
    this.dropout = dropout;
    if (dropout != null && !(dropout >= 0 && dropout < 1)) {
      throw new IllegalArgumentException("dropout must be in [0, 1), found " + dropout);
    }
    var _ = settings();
  }

  /// What the model beneath is kept in.
  public enum Kind {
    /// In the type of the arithmetic (Hu et al. 2021).
    @JsonProperty("lora")
    LORA,
    /// In 4 bits (Dettmers et al. 2023).
    @JsonProperty("qlora")
    QLORA
  }

  /// How it is trained.
  public AdapterPlan plan() {
    return new AdapterPlan(settings(), base, dropout == null ? 0 : dropout);
  }

  /// The shape of the adapter.
  public AdapterSettings settings() {
    return new AdapterSettings(rank, alpha, EnumSet.copyOf(targets));
  }
}
