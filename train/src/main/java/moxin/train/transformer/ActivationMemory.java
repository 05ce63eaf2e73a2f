package moxin.train.transformer;

/// What is kept of a forward pass for the backward pass.
public enum ActivationMemory {
  /// Everything it needs: the fastest.
  KEEP,
  /// Each block's input; the block is computed again, for a quarter to a third more time and a
  /// fraction of the memory.
  RECOMPUTE
}
