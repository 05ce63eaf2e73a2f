package moxin.infer;

import java.util.Optional;

/// How an engine runs. The number of threads changes no bit of its logits.
///
/// @param threads how many threads share the work, at least 1
/// @param kernels which kernels to compute with
/// @param kvType how keys and values are cached; empty for fp32 where a model's weights are fp32
///   and fp16 otherwise
public record EngineOptions(int threads, KernelChoice kernels, Optional<KvType> kvType) {

  private static final int MAX_THREADS = 1024;

  public EngineOptions {
    if (threads < 1 || threads > MAX_THREADS) {
      throw new IllegalArgumentException(
          "threads must be in [1, " + MAX_THREADS + "], found " + threads);
    }
  }

  /// Options with the cache's own choice of type.
  public EngineOptions(int threads, KernelChoice kernels) {
    this(threads, kernels, Optional.empty());
  }

  /// All processors and the fastest kernels.
  public static EngineOptions defaults() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new EngineOptions(Math.min(processors, MAX_THREADS), KernelChoice.AUTO);
  }

  /// These options with `newThreads` threads.
  public EngineOptions withThreads(int newThreads) {
    return new EngineOptions(newThreads, kernels, kvType);
  }

  /// These options with other kernels.
  public EngineOptions withKernels(KernelChoice newKernels) {
    return new EngineOptions(threads, newKernels, kvType);
  }

  /// These options with another type of cache.
  public EngineOptions withKvType(KvType newType) {
    return new EngineOptions(threads, kernels, Optional.of(newType));
  }
}
