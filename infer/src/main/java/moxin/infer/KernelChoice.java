package moxin.infer;

/// Which kernels an engine computes with.
public enum KernelChoice {
  /// The fastest that this JVM can run.
  AUTO,
  /// Plain Java: the oracle that the others are tested against.
  SCALAR,
  /// The Vector API, where the JVM has it.
  VECTOR
}
