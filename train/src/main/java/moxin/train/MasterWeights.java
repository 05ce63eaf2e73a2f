package moxin.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/// The weights that the optimizer changes, where computing is in bf16. Norms are fp32 with both.
public enum MasterWeights {
  /// A fp32 copy.
  @JsonProperty("fp32")
  FP32,
  /// The bf16 weights themselves, rounded stochastically: an update smaller than half of what bf16
  /// can tell apart is not lost, but made in full now and then.
  @JsonProperty("none")
  NONE
}
