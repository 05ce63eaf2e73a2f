package moxin.cli;

import moxin.infer.EngineOptions;
import moxin.infer.KernelChoice;
import moxin.infer.KvType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say how the engine runs.
final class EngineChoice {
  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "threads of the engine; default: all processors")
  private int threads;

  @Option(
      names = "--kernels",
      paramLabel = "KIND",
      defaultValue = "auto",
      description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}, the fastest here")
  private KernelChoice kernels = KernelChoice.AUTO;

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description =
          "how keys and values are cached: ${COMPLETION-CANDIDATES}; default: f32 beside fp32"
              + " weights, else f16")
  private @Nullable KvType kvType;

  EngineOptions options() {
    EngineOptions options = EngineOptions.defaults().withKernels(kernels);
    if (threads > 0) {
      options = options.withThreads(threads);
    }
    KvType type = kvType;
    return type == null ? options : options.withKvType(type);
  }
}
