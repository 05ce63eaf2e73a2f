package moxin.infer;

/// Why a generation ended.
public enum FinishReason {
  /// The model ended the sequence, or a stop string appeared.
  STOP,
  /// The allowed number of tokens or the context is used up.
  LENGTH,
  /// The caller asked for it.
  CANCELLED
}
