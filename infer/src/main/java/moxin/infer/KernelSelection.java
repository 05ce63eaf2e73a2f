package moxin.infer;

import java.util.Optional;
import moxin.infer.assembly.AssembledKernels;
import moxin.infer.assembly.CodeLevel;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.ScalarKernels;
import moxin.infer.kernel.VectorKernels;

/// The kernels an engine runs with.
///
/// @param matrices what multiplies with weights
/// @param blocks what computes the rest
/// @param fallbackReason why these are not the fastest or not the ones asked for
record KernelSelection(
    MatrixKernels matrices, BlockKernels blocks, Optional<String> fallbackReason) {

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  static KernelSelection of(KernelChoice choice) {
    return switch (choice) {
      case SCALAR -> scalar(Optional.empty());
      case VECTOR -> vector(Optional.empty());
      case AUTO, ASSEMBLED ->
          AssembledKernels.fastest()
              .map(KernelSelection::assembled)
              .orElseGet(() -> vector(AssembledKernels.obstacle()));
      case ASSEMBLED_AVX_VNNI -> assembled(CodeLevel.AVX_VNNI);
      case ASSEMBLED_AVX2 -> assembled(CodeLevel.AVX2);
    };
  }

  private static KernelSelection assembled(CodeLevel level) {
    Optional<String> obstacle = AssembledKernels.obstacle(level);
    if (obstacle.isPresent()) {
      return vector(obstacle);
    }
    KernelSelection rest = vector(Optional.empty());
    return new KernelSelection(
        AssembledKernels.with(level, rest.matrices), rest.blocks, rest.fallbackReason);
  }

  private static KernelSelection vector(Optional<String> reason) {
    Optional<String> obstacle = vectorObstacle();
    return obstacle.isPresent()
        ? scalar(obstacle)
        : new KernelSelection(new VectorKernels(), new VectorBlockKernels(), reason);
  }

  private static KernelSelection scalar(Optional<String> reason) {
    return new KernelSelection(new ScalarKernels(), new ScalarBlockKernels(), reason);
  }

  private static Optional<String> vectorObstacle() {
    if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
      return Optional.of(
          "slow scalar kernels: this JVM runs without --add-modules=" + VECTOR_MODULE);
    }
    return VectorBlockKernels.obstacle();
  }
}
