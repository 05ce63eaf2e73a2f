package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// The shape of the decay of a warmup-stable-decay schedule.
public enum DecayShape {
  @JsonProperty("linear")
  LINEAR,
  @JsonProperty("cosine")
  COSINE,
  /// 1 − √q (Hägele et al. 2024, "Scaling Laws and Compute-Optimal Training Beyond Fixed Training
  /// Durations").
  @JsonProperty("one-minus-sqrt")
  ONE_MINUS_SQRT
}
