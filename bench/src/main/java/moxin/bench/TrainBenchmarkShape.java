package moxin.bench;

import java.util.OptionalInt;
import moxin.model.DType;
import moxin.model.ModelConfig;

/// What [TrainBenchmark] trains.
///
/// @param rows B of a step
/// @param length T
/// @param steps how many are measured
public record TrainBenchmarkShape(
    ModelConfig model, int rows, int length, int steps, DType computeType, int processors) {

  public TrainBenchmarkShape {
    if (rows < 1 || length < 1 || steps < 1 || processors < 1) {
      throw new IllegalArgumentException(
          "rows, length, steps and processors must be positive, found "
              + rows
              + ", "
              + length
              + ", "
              + steps
              + ", "
              + processors);
    }
  }

  /// 30.55 million parameters, B 8, T 512: the shape by which machines and versions are compared.
  public static TrainBenchmarkShape reference(int steps, DType computeType) {
    ModelConfig model = model(8192, 512, 1376, 8, 8, 2, 64, false);
    return new TrainBenchmarkShape(model, 8, 512, steps, computeType, allProcessors());
  }

  /// About five million parameters with steps of 8192 tokens, as the quickstart trains.
  public static TrainBenchmarkShape quickstart(int steps, DType computeType) {
    ModelConfig model = model(4096, 256, 704, 6, 4, 2, 64, true);
    return new TrainBenchmarkShape(model, 16, 512, steps, computeType, allProcessors());
  }

  /// The same on so many processors.
  public TrainBenchmarkShape onProcessors(int count) {
    return new TrainBenchmarkShape(model, rows, length, steps, computeType, count);
  }

  private static ModelConfig model(
      int vocabulary,
      int hidden,
      int width,
      int layers,
      int heads,
      int keyHeads,
      int headDim,
      boolean tied) {
    return new ModelConfig(
        "mistral",
        vocabulary,
        hidden,
        width,
        layers,
        heads,
        keyHeads,
        headDim,
        1e-5,
        10000.0,
        OptionalInt.empty(),
        2048,
        tied,
        1,
        2,
        0.02);
  }

  private static int allProcessors() {
    return Runtime.getRuntime().availableProcessors();
  }
}
