package moxin.infer.kernel;

import java.util.Arrays;
import java.util.stream.Stream;
import moxin.infer.assembly.AssembledKernels;
import moxin.infer.assembly.CodeLevel;

/// The tiers that have the scalar tier's bits for every format.
final class ExactTiers {

  private ExactTiers() {}

  static Stream<MatrixKernels> all() {
    return Stream.concat(VectorTiers.all(), assembled());
  }

  /// The levels of machine code that keep activations of bf16 weights in fp32.
  private static Stream<MatrixKernels> assembled() {
    return Arrays.stream(CodeLevel.values())
        .filter(level -> level != CodeLevel.AVX512)
        .filter(level -> AssembledKernels.obstacle(level).isEmpty())
        .map(level -> AssembledKernels.with(level, new ScalarKernels()));
  }
}
