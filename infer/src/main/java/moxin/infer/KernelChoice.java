package moxin.infer;

/// Which kernels an engine computes with.
public enum KernelChoice {
  /// The fastest that this machine can run.
  AUTO,
  /// Plain Java: the oracle that the others are tested against.
  SCALAR,
  /// The Vector API, where the JVM has it.
  VECTOR,
  /// Machine code that this program writes, where the processor has the instructions.
  ASSEMBLED
}
