package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// The arithmetic of forward and backward; master weights and optimizer are fp32 in both.
public enum Precision {
  @JsonProperty("fp32")
  FP32,
  @JsonProperty("bf16")
  BF16
}
