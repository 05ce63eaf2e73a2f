package moxin.train.transformer;

import moxin.torch.Device;

/// How work is laid out on a device: the one place that chooses between the CPU and a GPU.
///
/// @param slices into how many slices a batch is cut; results depend on it, so that it is fixed for
///   a device and not for a machine
/// @param threads how many slices run at once
/// @param threadsPerOperator how many threads each of libtorch's operators uses
record Execution(Kernels kernels, int slices, int threads, int threadsPerOperator) {
  private static final int CPU_SLICES = 4;

  /// The layout on `device` with `processors` processors of the host at hand.
  static Execution on(Device device, int processors) {
    if (processors < 1) {
      throw new IllegalArgumentException("no work is done on " + processors + " processors");
    }
    return switch (device.kind()) {
      case CPU -> {
        int threads = Math.min(CPU_SLICES, processors);
        yield new Execution(new VectorKernels(), CPU_SLICES, threads, processors / threads);
      }
      case CUDA -> new Execution(new AtenKernels(), 1, 1, 1);
    };
  }
}
