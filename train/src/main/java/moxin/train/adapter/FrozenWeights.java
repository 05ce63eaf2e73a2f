package moxin.train.adapter;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How the matrices beneath an adapter are kept. Embeddings are kept in the compute type, and norms
/// in fp32, in all of them.
public enum FrozenWeights {
  /// In the compute type.
  @JsonProperty("plain")
  PLAIN,
  /// In NF4: 4.5 bits per weight, levels as dense as those of a normal distribution.
  @JsonProperty("nf4")
  NF4,
  /// In ggml's Q4_0: 4.5 bits per weight, equally spaced levels.
  @JsonProperty("q4_0")
  Q4_0
}
