package moxin.train.estimate;

import moxin.model.DType;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;
import moxin.train.recipe.Activations;

/// How a model lies on its devices, as [moxin.train.transformer] lays it out. A micro-batch is cut
/// into slices, at least one for each device.
///
/// @param computeType F32 or BF16
/// @param activations what is kept for the backward pass
/// @param attention what attention keeps
/// @param moments the type of the optimizer's state
/// @param master whether there is a fp32 copy of bf16 weights
/// @param place where moments and master weights are
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
    OptimizerStates moments,
    MasterWeights master,
    OptimizerPlace place,
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
        OptimizerStates.FP32,
        MasterWeights.FP32,
        OptimizerPlace.DEVICE,
        4,
        Math.min(4, processors),
        1,
        0);
  }

  /// A GPU's: micro-batches as a whole.
  public static Placement onGpu(DType computeType, Activations activations) {
    return new Placement(
        computeType,
        activations,
        AttentionMemory.SCORES,
        OptimizerStates.FP32,
        MasterWeights.FP32,
        OptimizerPlace.DEVICE,
        1,
        1,
        1,
        0);
  }

  /// The same with other activations.
  public Placement withActivations(Activations other) {
    return with(other, attention, moments, master, place, devices, zeroStage);
  }

  /// The same on other devices.
  public Placement withDevices(int others, int stage) {
    return with(activations, attention, moments, master, place, others, stage);
  }

  /// The same with other attention.
  public Placement withAttention(AttentionMemory other) {
    return with(activations, other, moments, master, place, devices, zeroStage);
  }

  /// The same with moments of another type.
  public Placement withMoments(OptimizerStates other) {
    return with(activations, attention, other, master, place, devices, zeroStage);
  }

  /// The same with other master weights.
  public Placement withMaster(MasterWeights other) {
    return with(activations, attention, moments, other, place, devices, zeroStage);
  }

  /// The same with moments and master weights elsewhere; on the CPU they stay.
  public Placement withPlace(OptimizerPlace other) {
    boolean host = attention == AttentionMemory.TILED;
    return with(
        activations,
        attention,
        moments,
        master,
        host ? OptimizerPlace.DEVICE : other,
        devices,
        zeroStage);
  }

  private Placement with(
      Activations keeps,
      AttentionMemory attends,
      OptimizerStates states,
      MasterWeights copy,
      OptimizerPlace where,
      int count,
      int stage) {
    return new Placement(
        computeType, keeps, attends, states, copy, where, slices, threads, count, stage);
  }
}
