package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How tokens become rows.
public enum Packing {
  /// Documents side by side, each seeing only itself. Shuffled, long ones fill rows of their own
  /// and the rest is packed by best fit; in order, one that does not fit goes on in the next row.
  @JsonProperty("documents")
  DOCUMENTS,
  /// Windows over the token stream, blind to where documents begin: plain causal attention.
  @JsonProperty("contiguous")
  CONTIGUOUS
}
