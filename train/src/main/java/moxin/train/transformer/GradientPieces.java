package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// The squared norm of a gradient in pieces that nothing splits: added in order they have the same
/// bits whoever holds which.
final class GradientPieces {
  private static final long TASK_PIECES = 64;

  private GradientPieces() {}

  /// Some pieces of the gradient, from element `at` of a flat array on.
  private record Task(long at, long count, long piece) {}

  /// Σ g² of each piece of `buckets`, which stand in `gradient` where the layout has them.
  static double[] squaredNorms(
      SliceThreads threads,
      Kernels kernels,
      Tensor gradient,
      List<ParameterLayout.Bucket> buckets) {
    List<Task> tasks = new ArrayList<>();
    buckets.forEach(bucket -> add(tasks, bucket.from(), bucket.elements(), bucket.piece()));
    return run(threads, kernels, gradient, tasks);
  }

  /// Σ g² of each piece of `parts`, which stand in `gradient` where the parts say.
  static double[] squaredNormsOf(
      SliceThreads threads, Kernels kernels, Tensor gradient, List<ShardLayout.Part> parts) {
    List<Task> tasks = new ArrayList<>();
    parts.forEach(part -> add(tasks, part.at(), part.elements(), part.bucket().piece()));
    return run(threads, kernels, gradient, tasks);
  }

  private static void add(List<Task> tasks, long at, long elements, long piece) {
    long step = TASK_PIECES * piece;
    for (long from = 0; from < elements; from += step) {
      tasks.add(new Task(at + from, Math.min(step, elements - from), piece));
    }
  }

  private static double[] run(
      SliceThreads threads, Kernels kernels, Tensor gradient, List<Task> tasks) {
    double[][] squares = new double[tasks.size()][];
    threads.run(
        tasks.size(),
        (i, _) -> {
          try (Scope _ = Scope.open()) {
            Task task = tasks.get(i);
            squares[i] = kernels.squaredNorms(gradient.view(task.at(), task.count()), task.piece());
          }
        });
    int total = 0;
    for (double[] some : squares) {
      total += some.length;
    }
    double[] all = new double[total];
    int at = 0;
    for (double[] some : squares) {
      System.arraycopy(some, 0, all, at, some.length);
      at += some.length;
    }
    return all;
  }
}
