package moxin.infer;

/// Which kernels an engine computes with.
public enum KernelChoice {
  /// The fastest that this machine can run.
  AUTO,
  /// Plain Java: the oracle that the others are tested against.
  SCALAR,
  /// The Vector API, where the JVM has it.
  VECTOR,
  /// Machine code that this program writes, for the best instructions that the processor has.
  ASSEMBLED,
  /// Machine code for AVX2 with VNNI, as laptops without AVX-512 run it.
  ASSEMBLED_AVX_VNNI,
  /// Machine code for AVX2 with FMA alone.
  ASSEMBLED_AVX2
}
