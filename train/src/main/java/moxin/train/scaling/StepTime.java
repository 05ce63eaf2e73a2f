package moxin.train.scaling;

import moxin.model.ModelConfig;
import moxin.train.ZeroStage;

/// The time of a step of several processes with one slice each per micro-batch, by the schedule of
/// [moxin.train.transformer]: what is exchanged for one layer overlaps with the computation of its
/// neighbour, at stage 3 forward too; the rest does not.
///
/// @param flops operations per second that a process computes with when it waits for nobody
/// @param positions of a slice
/// @param microBatches of a step
public record StepTime(
    Volume volume, Fabric fabric, double flops, long positions, int length, long microBatches) {

  /// Seconds that a process computes in a step.
  public double computing() {
    return microBatches * 3 * (layers() * forwardLayer() + forwardHead());
  }

  /// Seconds of a step.
  public double seconds() {
    double step = computing();
    double gradient = exchange(matrixBytes());
    boolean fetches = volume.stage() == ZeroStage.WEIGHTS;
    double forward = fetches ? exchange(matrixBytes()) : 0;
    double backward = forward + gradient;
    double beside = exposed(forward, forwardLayer()) + exposed(backward, 2 * forwardLayer());
    // The first fetch and the last gradient have nothing beside them.
    double perMicroBatch = layers() * beside + forward + gradient;
    double size = volume.type().byteSize();
    perMicroBatch += exposed(exchange(volume.embeddingElements() * size), 2 * forwardLayer());
    perMicroBatch += exchange(volume.normElements() * 4.0);
    perMicroBatch += fabric.seconds(volume.embeddingBytesPerSlice(positions), processes());
    step += microBatches * perMicroBatch;
    int buckets = fetches ? 3 : layers() + 3;
    double update = volume.updateBytes();
    return step
        + fabric.seconds(update, processes())
        + (buckets - 1) * fabric.seconds(0, processes());
  }

  /// The share of the step that is computation.
  public double efficiency() {
    return computing() / seconds();
  }

  /// Tokens per second of all processes.
  public double tokensPerSecond() {
    return processes() * positions * microBatches / seconds();
  }

  private static double exposed(double exchange, double compute) {
    return Math.max(0, exchange - compute);
  }

  private double exchange(double bytes) {
    double sent = bytes * (processes() - 1) / processes();
    return fabric.seconds(sent, processes());
  }

  private double matrixBytes() {
    return (double) volume.layerElements() * volume.type().byteSize();
  }

  /// 2 per weight and position, and 4·H·D·T/2 for causal attention.
  private double forwardLayer() {
    ModelConfig config = volume.config();
    double attention = 2.0 * config.numAttentionHeads() * config.headDim() * length;
    return positions * (2.0 * volume.layerElements() + attention) / flops;
  }

  private double forwardHead() {
    return positions * 2.0 * volume.embeddingElements() / flops;
  }

  private int layers() {
    return volume.config().numHiddenLayers();
  }

  private int processes() {
    return volume.processes();
  }
}
