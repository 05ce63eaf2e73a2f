package moxin.train.estimate;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;

/// The bytes of one device by what they hold.
///
/// @param weights in the compute type, and in fp32 the only ones
/// @param masterWeights in fp32, where computing is not
/// @param gradients their fp32 sums, and those of each slice in the compute type
/// @param optimizer AdamW's moments
/// @param activations what a forward pass leaves for its backward pass, and the room both work in
/// @param logits of some positions at a time, and beside them the room of libtorch's operators for
///   the loss, the embedding's gradient or the update, whichever is most
/// @param host what is kept in the host's memory instead of the device's
public record DeviceMemory(
    long weights,
    long masterWeights,
    long gradients,
    long optimizer,
    long activations,
    long logits,
    long host) {

  /// What a learner of `config` has allocated after a step.
  ///
  /// @param rows B of a micro-batch, which all devices share
  /// @param length T
  public static DeviceMemory of(ModelConfig config, int rows, int length, Placement placement) {
    double all = config.parameterCount();
    double s = placement.computeType().byteSize();
    boolean exact = placement.computeType() == DType.F32;
    int stage = placement.devices() == 1 ? 0 : placement.zeroStage();
    double owned = stage == 0 ? all : all / placement.devices();
    double table = (double) config.vocabSize() * config.hiddenSize();
    double twoBlocks = Math.min(2, config.numHiddenLayers()) * blockWeights(config);
    double tables = config.tieWordEmbeddings() ? table : 2 * table;
    double gathered = stage == 0 ? 0 : stage == 3 ? tables + twoBlocks : all;
    Slices slices = Slices.of(rows, placement);
    // The embedding's gradient is kept as that of the rows taken from it.
    double ofSlice =
        placement.devices() == 1 ? all : stage >= 2 ? twoBlocks + table : all - (tables - table);
    double embedded = 4.0 * slices.largest() * length * config.hiddenSize();
    Workspaces workspaces = new Workspaces(config, length, placement);
    double activations = 0;
    double logits = 0;
    for (int sliceRows : slices.sizes()) {
      activations += slices.workspaces() * workspaces.activations(sliceRows);
      logits += slices.workspaces() * workspaces.logits(sliceRows);
    }
    double sums = 4 * owned + slices.gradients() * s * ofSlice + slices.rounds() * embedded;
    boolean same = exact || placement.master() == MasterWeights.NONE;
    double master = same ? 0 : 4 * owned;
    double moments = placement.moments().bytesPerWeight() * owned;
    double here = placement.place() == OptimizerPlace.HOST ? 0 : 1;
    return new DeviceMemory(
        Math.round(s * (owned + gathered)),
        Math.round(here * master),
        Math.round(sums),
        Math.round(here * moments),
        Math.round(activations),
        Math.round(logits),
        Math.round((1 - here) * (master + moments)));
  }

  /// How a micro-batch is cut. One device has a gradient for each slice and a workspace for each
  /// thread; one of several has one of both, and its slices pass one after the other. Slices of two
  /// sizes, one row apart, have workspaces of their own.
  ///
  /// @param rounds how many slices a device has
  /// @param sizes the different numbers of rows that it meets
  private record Slices(int rounds, int gradients, int workspaces, int[] sizes) {
    static Slices of(int rows, Placement placement) {
      int devices = placement.devices();
      int count = Math.min(Math.max(placement.slices(), devices), rows);
      int rounds = Math.ceilDiv(count, devices);
      int small = rows / count;
      boolean even = rows % count == 0;
      int[] sizes = even ? new int[] {small} : new int[] {small, small + 1};
      if (devices > 1 && rounds == 1) {
        sizes = new int[] {Math.ceilDiv(rows, count)};
      }
      boolean alone = devices == 1;
      return new Slices(
          rounds, alone ? count : 1, alone ? Math.min(placement.threads(), count) : 1, sizes);
    }

    int largest() {
      return sizes[sizes.length - 1];
    }
  }

  private static double blockWeights(ModelConfig config) {
    double hidden = config.hiddenSize();
    double queries = (double) config.numAttentionHeads() * config.headDim();
    double keys = (double) config.numKeyValueHeads() * config.headDim();
    return hidden * (2 * queries + 2 * keys) + 3 * hidden * config.intermediateSize() + 2 * hidden;
  }

  /// All together on the device.
  public long total() {
    return weights + masterWeights + gradients + optimizer + activations + logits;
  }
}
