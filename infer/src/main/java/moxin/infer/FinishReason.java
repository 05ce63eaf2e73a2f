package moxin.infer;

/// Why a generation ended.
public enum FinishReason {
  /// The model ended the sequence, a stop token or a stop string appeared, or the constraint is
  /// complete and nothing can follow.
  STOP,
  /// The allowed number of tokens or the context is used up.
  LENGTH,
  /// The caller asked for it.
  CANCELLED,
  /// Constraint, logit bias and vocabulary together leave no token.
  NO_TOKEN
}
