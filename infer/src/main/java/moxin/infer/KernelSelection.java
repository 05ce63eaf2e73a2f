package moxin.infer;

import java.util.Optional;

/// The kernels an engine runs with.
///
/// @param kernels what computes
/// @param fallbackReason why these are not the fastest or not the ones asked for
record KernelSelection(Kernels kernels, Optional<String> fallbackReason) {

  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  static KernelSelection of(KernelChoice choice) {
    return switch (choice) {
      case SCALAR -> new KernelSelection(new ScalarKernels(), Optional.empty());
      case AUTO, VECTOR ->
          vectorObstacle()
              .map(reason -> new KernelSelection(new ScalarKernels(), Optional.of(reason)))
              .orElseGet(() -> new KernelSelection(new VectorKernels(), Optional.empty()));
    };
  }

  private static Optional<String> vectorObstacle() {
    if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
      return Optional.of(
          "slow scalar kernels: this JVM runs without --add-modules=" + VECTOR_MODULE);
    }
    return VectorKernels.obstacle();
  }
}
