package moxin.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// How fast libtorch multiplies matrices, in GFLOP/s. On a CPU: the better of one product on all
/// threads and one product on each thread, since either may suit a machine. On a GPU: large square
/// products, one after the other.
final class MatrixProductRate {
  private static final long NANOS = 300_000_000L;
  private static final int ROUNDS = 3;
  private static final int ROWS = 2048;
  private static final int INNER = 512;
  private static final int COLUMNS = 2752;
  private static final int GPU_SIDE = 8192;
  private static final int GPU_PRODUCTS = 20;

  private MatrixProductRate() {}

  static double measure(DType type, Device device, int processors) {
    if (!device.isHost()) {
      return measureGpu(type, device);
    }
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
      best = Math.max(best, measure(type, 1, processors));
      best = Math.max(best, measure(type, processors, 1));
    }
    return best;
  }

  private static double measure(DType type, int threads, int threadsPerProduct) {
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<Double>> rates = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        rates.add(executor.submit(() -> measureHere(type, threadsPerProduct)));
      }
      double sum = 0;
      for (Future<Double> rate : rates) {
        sum += rate.get();
      }
      return sum;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("a matrix product failed", e.getCause());
    }
  }

  private static double measureGpu(DType type, Device device) {
    LibTorch.prepareThread(1);
    try (Scope _ = Scope.open()) {
      Tensor a = Tensor.zeros(type, device, GPU_SIDE, GPU_SIDE);
      Tensor out = Tensor.zeros(type, device, GPU_SIDE, GPU_SIDE);
      double best = 0;
      for (int round = 0; round <= ROUNDS; round++) {
        long start = System.nanoTime();
        for (int i = 0; i < GPU_PRODUCTS; i++) {
          Aten.mm(out, a, a);
        }
        awaitAll(out);
        double flops = 2.0 * GPU_PRODUCTS * GPU_SIDE * GPU_SIDE * GPU_SIDE;
        best = Math.max(best, flops / (System.nanoTime() - start));
      }
      return best;
    }
  }

  /// Returns when the device has computed `tensor` and all that was asked of it before: work is
  /// done in order, and reading waits for it.
  private static void awaitAll(Tensor tensor) {
    try (Scope _ = Scope.open()) {
      tensor.view(0, 1).to(Device.CPU);
    }
  }

  private static double measureHere(DType type, int threads) {
    LibTorch.prepareThread(threads);
    try (Scope _ = Scope.open()) {
      Tensor a = Tensor.zeros(type, Device.CPU, ROWS, INNER);
      Tensor b = Tensor.zeros(type, Device.CPU, COLUMNS, INNER).transposed();
      Tensor out = Tensor.zeros(type, Device.CPU, ROWS, COLUMNS);
      Aten.mm(out, a, b);
      long start = System.nanoTime();
      long products = 0;
      long end = start;
      while (end - start < NANOS) {
        Aten.mm(out, a, b);
        products++;
        end = System.nanoTime();
      }
      return 2.0 * ROWS * INNER * COLUMNS * products / (end - start);
    }
  }
}
