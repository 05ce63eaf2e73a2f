package moxin.train.estimate;

import moxin.model.DType;
import moxin.train.recipe.Activations;

/// How a model lies on its devices, as [moxin.train.transformer] lays it out. A micro-batch is cut
/// into slices, at least one for each device.
///
/// @param computeType F32 or BF16
/// @param activations what is kept for the backward pass
/// @param attention what attention keeps
/// @param moments the type of the optimizer's state
/// @param slices into how many slices a micro-batch is cut at least
/// @param threads how many slices run at once on a device that is alone
/// @param devices data-parallel devices
/// @param zeroStage what they divide (Rajbhandari et al. 2020, "ZeRO"). 0: nothing. 1: fp32
///   weights, moments and the sums of gradients, beside all weights to compute with. 2: of a
///   slice's gradient two blocks are in memory at a time. 3: of the weights to compute with too.
public record Placement(
    DType computeType,
    Activations activations,
    AttentionMemory attention,
    Moments moments,
    int slices,
    int threads,
    int devices,
    int zeroStage) {

  public Placement {
    if (slices < 1 || threads < 1 || devices < 1 || zeroStage < 0 || zeroStage > 3) {
      throw new IllegalArgumentException(
          "slices, threads and devices must be positive and zeroStage 0 to 3, found "
              + slices
              + ", "
              + threads
              + ", "
              + devices
              + ", "
              + zeroStage);
    }
  }

  /// The CPU learner's: four slices, on as many threads as there are processors for.
  public static Placement onCpu(DType computeType, Activations activations, int processors) {
    return new Placement(
        computeType,
        activations,
        AttentionMemory.TILED,
        Moments.FP32,
        4,
        Math.min(4, processors),
        1,
        0);
  }

  /// A GPU's: micro-batches as a whole.
  public static Placement onGpu(DType computeType, Activations activations) {
    return new Placement(
        computeType, activations, AttentionMemory.SCORES, Moments.FP32, 1, 1, 1, 0);
  }

  /// The same with other activations.
  public Placement withActivations(Activations other) {
    return new Placement(
        computeType, other, attention, moments, slices, threads, devices, zeroStage);
  }

  /// The same on other devices.
  public Placement withDevices(int others, int stage) {
    return new Placement(
        computeType, activations, attention, moments, slices, threads, others, stage);
  }

  /// The same with other attention.
  public Placement withAttention(AttentionMemory other) {
    return new Placement(
        computeType, activations, other, moments, slices, threads, devices, zeroStage);
  }

  /// The same with moments of another type.
  public Placement withMoments(Moments other) {
    return new Placement(
        computeType, activations, attention, other, slices, threads, devices, zeroStage);
  }
}
