package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// Work on all elements of flat parameters, in chunks that threads take in turn. Elements do not
/// depend on one another, so that results do not depend on threads.
final class ParameterUpdates {
  private static final long CHUNK = 1 << 18;

  private final Parameters parameters;
  private final SliceThreads threads;
  private final Kernels kernels;

  ParameterUpdates(Parameters parameters, SliceThreads threads, Kernels kernels) {
    this.parameters = parameters;
    this.threads = threads;
    this.kernels = kernels;
  }

  /// One AdamW update of elements `[from, to)`, whose gradient is zeroed.
  void step(AdamWStep step, double weightDecay, long from, long to) {
    List<long[]> chunks = chunks(from, to);
    threads.run(
        chunks.size(),
        (i, _) -> {
          try (Scope _ = Scope.open()) {
            long[] chunk = chunks.get(i);
            kernels.adamW(step, weightDecay, parameters.range(chunk[0], chunk[1]));
          }
        });
  }

  /// Adds flat gradients of elements `[0, size)` in their order.
  void add(List<Tensor> gradients, long size) {
    List<long[]> chunks = chunks(0, size);
    threads.run(
        chunks.size(),
        (i, _) -> gradients.forEach(gradient -> add(chunks.get(i), gradient, chunks.get(i)[0])));
  }

  /// Adds a piece of a gradient, on the calling thread.
  ///
  /// @param range of the parameters
  /// @param offset where the piece begins in `gradient`
  void add(long[] range, Tensor gradient, long offset) {
    long count = range[1] - range[0];
    try (Scope _ = Scope.open()) {
      kernels.addTo(parameters.gradient().view(range[0], count), gradient.view(offset, count));
    }
  }

  /// Element ranges `[from, to)` that together are the given one.
  static List<long[]> chunks(long from, long to) {
    List<long[]> chunks = new ArrayList<>();
    for (long at = from; at < to; at += CHUNK) {
      chunks.add(new long[] {at, Math.min(at + CHUNK, to)});
    }
    return chunks;
  }
}
