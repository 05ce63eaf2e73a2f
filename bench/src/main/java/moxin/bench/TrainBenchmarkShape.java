package moxin.bench;

import java.util.OptionalInt;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.train.transformer.ActivationMemory;

/// What [TrainBenchmark] trains.
///
/// @param rows B of a step
/// @param length T
/// @param steps how many are measured
/// @param processors of the host
/// @param activationMemory what is kept for the backward pass
public record TrainBenchmarkShape(
    ModelConfig model,
    int rows,
    int length,
    int steps,
    DType computeType,
    Device device,
    int processors,
    ActivationMemory activationMemory) {

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
    return onCpu(model, 8, steps, computeType);
  }

  /// About five million parameters with steps of 8192 tokens, as the quickstart trains.
  public static TrainBenchmarkShape quickstart(int steps, DType computeType) {
    ModelConfig model = model(4096, 256, 704, 6, 4, 2, 64, true);
    return onCpu(model, 16, steps, computeType);
  }

  /// Moxin-7B, 8.1 billion parameters, with so many layers: one row of 4096 tokens, blocks
  /// recomputed in the backward pass.
  public static TrainBenchmarkShape moxin7b(int layers, int steps, DType computeType) {
    ModelConfig whole = ModelConfig.moxin7b();
    ModelConfig model =
        new ModelConfig(
            whole.modelType(),
            whole.vocabSize(),
            whole.hiddenSize(),
            whole.intermediateSize(),
            layers,
            whole.numAttentionHeads(),
            whole.numKeyValueHeads(),
            whole.headDim(),
            whole.rmsNormEps(),
            whole.ropeTheta(),
            whole.slidingWindow(),
            whole.maxPositionEmbeddings(),
            whole.tieWordEmbeddings(),
            whole.bosTokenId(),
            whole.eosTokenIds(),
            whole.initializerRange());
    return new TrainBenchmarkShape(
        model,
        1,
        4096,
        steps,
        computeType,
        Device.CPU,
        allProcessors(),
        ActivationMemory.RECOMPUTE);
  }

  private static TrainBenchmarkShape onCpu(
      ModelConfig model, int rows, int steps, DType computeType) {
    return new TrainBenchmarkShape(
        model, rows, 512, steps, computeType, Device.CPU, allProcessors(), ActivationMemory.KEEP);
  }

  /// The same on so many processors.
  public TrainBenchmarkShape onProcessors(int count) {
    return new TrainBenchmarkShape(
        model, rows, length, steps, computeType, device, count, activationMemory);
  }

  /// The same on another device.
  public TrainBenchmarkShape on(Device other) {
    return new TrainBenchmarkShape(
        model, rows, length, steps, computeType, other, processors, activationMemory);
  }

  /// The same with other batches.
  public TrainBenchmarkShape withBatch(int otherRows, int otherLength) {
    return new TrainBenchmarkShape(
        model, otherRows, otherLength, steps, computeType, device, processors, activationMemory);
  }

  /// The same with other activations kept.
  public TrainBenchmarkShape with(ActivationMemory other) {
    return new TrainBenchmarkShape(
        model, rows, length, steps, computeType, device, processors, other);
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
