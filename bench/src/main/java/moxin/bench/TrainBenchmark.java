package moxin.bench;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.ResidentMemory;
import moxin.model.DType;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.estimate.ModelFlops;
import moxin.train.transformer.LearnerOptions;
import moxin.train.transformer.TorchLearner;
import moxin.train.transformer.WeightInitializer;

/// Training throughput on a CPU or a GPU: whole steps (forward, backward, clipping, AdamW) on
/// random tokens, after the rate of libtorch's matrix products in the same process, which is what
/// they could reach at best. That rate is taken before the steps and after them, and the better one
/// counts.
///
/// Ten steps warm up, which the JIT needs; the figure is the median of the rest. Resident memory is
/// read from the system after the warm-up and at the end: it must not grow.
public final class TrainBenchmark {
  private static final int WARM_UP = 10;
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, false, false, 1.0);

  private TrainBenchmark() {}

  /// Runs the benchmark.
  ///
  /// @throws moxin.torch.LibTorchUnavailableException if the device is a GPU and the loaded
  ///   libtorch drives none
  /// @throws IOException if libtorch cannot be extracted
  public static TrainBenchmarkResult run(TrainBenchmarkShape shape, Progress progress)
      throws IOException {
    LibTorch libTorch = LibTorch.load(progress);
    long liveBefore = Tensor.liveCount();
    Device device = shape.device();
    libTorch.require(device);
    double gemmRate = MatrixProductRate.measure(shape.computeType(), device, shape.processors());
    LearnerOptions options =
        new LearnerOptions(
            shape.computeType(), device, shape.processors(), shape.activationMemory());
    double[] seconds = new double[shape.steps()];
    long residentFirst = 0;
    long residentLast = 0;
    try (TorchLearner learner = TorchLearner.create(shape.model(), options, progress);
        Progress.Task task = progress.start("Train", WARM_UP + shape.steps(), "steps")) {
      learner.initialize(new WeightInitializer(1, WeightInitializer.OutputScale.BY_DEPTH));
      Batch batch = randomBatch(shape);
      for (int i = -WARM_UP; i < shape.steps(); i++) {
        long start = System.nanoTime();
        double loss = learner.accumulate(batch, 1.0 / batch.targetCount());
        learner.step(ADAM_W, 3e-4);
        if (i >= 0) {
          seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        if (i == 0) {
          residentFirst = ResidentMemory.bytes().orElse(0);
        }
        task.advance(1);
        task.status("loss %.3f".formatted(loss / batch.targetCount()));
      }
      residentLast = ResidentMemory.bytes().orElse(0);
    }
    double gemmRateAfter =
        MatrixProductRate.measure(shape.computeType(), device, shape.processors());
    return result(
        shape,
        libTorch.version(),
        Math.max(gemmRate, gemmRateAfter),
        seconds,
        new long[] {residentFirst, residentLast},
        Tensor.liveCount() - liveBefore);
  }

  private static TrainBenchmarkResult result(
      TrainBenchmarkShape shape,
      String version,
      double gemmRate,
      double[] seconds,
      long[] resident,
      long leaked) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    double median = sorted[sorted.length / 2];
    double tokens = (double) shape.rows() * shape.length();
    double flops = ModelFlops.unmasked(shape.model(), shape.length()).total();
    double rate = flops * tokens / median / 1e9;
    return new TrainBenchmarkResult(
        version,
        shape.computeType().name(),
        shape.device().toString(),
        shape.processors(),
        shape.model().parameterCount(),
        shape.rows(),
        shape.length(),
        shape.steps(),
        tokens / median,
        tokens / sorted[0],
        rate,
        gemmRate,
        rate / gemmRate,
        resident[0],
        resident[1],
        leaked);
  }

  private static Batch randomBatch(TrainBenchmarkShape shape) {
    Random random = new Random(1);
    int size = shape.rows() * shape.length();
    int[] ids = random.ints(size, 0, shape.model().vocabSize()).toArray();
    int[] targets = random.ints(size, 0, shape.model().vocabSize()).toArray();
    return new Batch(shape.rows(), shape.length(), ids, targets, new int[size]);
  }

  /// The compute types that `--type` of the command line names.
  public static DType computeType(String name) {
    return switch (name) {
      case "bf16" -> DType.BF16;
      case "fp32", "f32" -> DType.F32;
      default -> throw new BadInputException("--type must be bf16 or f32, found " + name);
    };
  }
}
