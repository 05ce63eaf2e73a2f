package moxin.train.transformer;

/// What is kept of a forward pass for the backward pass.
public enum ActivationMemory {
  /// Everything it needs: the fastest.
  KEEP,
  /// Everything but the norms' results and gate and up, which are more than half of a block: they
  /// are computed again, for about a seventh more time.
  SELECTIVE,
  /// Each block's input; the block is computed again, for a quarter to a third more time and a
  /// fraction of the memory.
  RECOMPUTE
}
