package moxin.train;

import com.fasterxml.jackson.annotation.JsonProperty;

/// The type in which AdamW's two moments are kept from step to step; a step itself computes in
/// fp32. What is narrower than fp32 is rounded stochastically, so that a mean over many steps, each
/// of which changes it by less than the type can tell apart, still moves as it should.
public enum OptimizerStates {
  @JsonProperty("fp32")
  FP32(8),
  @JsonProperty("bf16")
  BF16(4),
  /// One byte each, with a fp32 scale for every [#BLOCK] elements, their largest magnitude
  /// (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"). Codes lie densest near
  /// zero: a first moment is the square of its code, a second moment the fourth power.
  @JsonProperty("int8")
  INT8(2 + 8.0 / 256);

  /// How many elements share a scale.
  public static final int BLOCK = 256;

  private final double bytesPerWeight;

  OptimizerStates(double bytesPerWeight) {
    this.bytesPerWeight = bytesPerWeight;
  }

  /// The bytes of both moments of a weight.
  public double bytesPerWeight() {
    return bytesPerWeight;
  }

  /// Every parameter begins at a multiple of so many elements of the flat arrays.
  public int alignment() {
    return this == INT8 ? BLOCK : 64;
  }
}
