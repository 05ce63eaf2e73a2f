package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.OptimizerPlace;

/// Work on all elements of flat parameters, in chunks that threads take in turn. Elements do not
/// depend on one another, so that results do not depend on threads.
final class ParameterUpdates {
  private static final long CHUNK = 1 << 18;

  /// On a device that computes better on many elements.
  private static final long DEVICE_CHUNK = 1 << 22;

  private final Parameters parameters;
  private final SliceThreads threads;
  private final Kernels kernels;
  private final Device device;
  private final OptimizerPlace place;

  /// @param place whether moments and master weights pass through the device of the gradient
  ParameterUpdates(
      Parameters parameters, SliceThreads threads, Kernels kernels, OptimizerPlace place) {
    this.parameters = parameters;
    this.threads = threads;
    this.kernels = kernels;
    this.device = parameters.gradient().device();
    this.place = place;
  }

  /// One AdamW update of elements `[from, to)`, whose gradient is zeroed.
  void step(AdamWStep step, double weightDecay, long from, long to) {
    List<long[]> chunks = chunks(from, to, device.isHost() ? CHUNK : DEVICE_CHUNK);
    threads.run(
        chunks.size(),
        (i, _) -> {
          try (Scope _ = Scope.open()) {
            long at = chunks.get(i)[0];
            update(step, weightDecay, parameters.range(at, chunks.get(i)[1] - at, at));
          }
        });
  }

  private void update(AdamWStep step, double weightDecay, ParameterRange range) {
    if (place == OptimizerPlace.DEVICE) {
      kernels.adamW(step, weightDecay, range);
      return;
    }
    boolean master = range.copied();
    ParameterRange here =
        new ParameterRange(
            master ? Moment.copy(range.weights(), device) : range.weights(),
            range.gradient(),
            range.first().copy(device),
            range.second().copy(device),
            range.compute(),
            range.index());
    kernels.adamW(step, weightDecay, here);
    range.first().copyFrom(here.first());
    range.second().copyFrom(here.second());
    if (master) {
      range.weights().copyFrom(here.weights());
    }
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
    return chunks(from, to, CHUNK);
  }

  private static List<long[]> chunks(long from, long to, long size) {
    List<long[]> chunks = new ArrayList<>();
    for (long at = from; at < to; at += size) {
      chunks.add(new long[] {at, Math.min(at + size, to)});
    }
    return chunks;
  }
}
