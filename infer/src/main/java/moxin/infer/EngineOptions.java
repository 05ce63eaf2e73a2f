package moxin.infer;

/// How an engine runs. No option changes a single bit of its logits.
///
/// @param threads how many threads share the output rows, at least 1
/// @param kernels which kernels to compute with
public record EngineOptions(int threads, KernelChoice kernels) {

  private static final int MAX_THREADS = 1024;

  public EngineOptions {
    if (threads < 1 || threads > MAX_THREADS) {
      throw new IllegalArgumentException(
          "threads must be in [1, " + MAX_THREADS + "], found " + threads);
    }
  }

  /// All processors and the fastest kernels.
  public static EngineOptions defaults() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new EngineOptions(Math.min(processors, MAX_THREADS), KernelChoice.AUTO);
  }

  /// These options with `newThreads` threads.
  public EngineOptions withThreads(int newThreads) {
    return new EngineOptions(newThreads, kernels);
  }

  /// These options with other kernels.
  public EngineOptions withKernels(KernelChoice newKernels) {
    return new EngineOptions(threads, newKernels);
  }
}
