package moxin.train.transformer;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.MasterWeights;
import moxin.train.adapter.AdapterMemory;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.FrozenWeights;

/// What an [AdapterLearner] allocates, counted without allocating it.
///
/// @param workers how many threads pass at once, at most
/// @param slices how many slices a batch is cut into, at most
record AdapterMemoryPlan(
    ModelConfig config,
    AdapterSettings settings,
    FrozenWeights base,
    DType type,
    ActivationMemory activations,
    int workers,
    int slices,
    UpdateOptions updates) {

  static AdapterMemoryPlan of(
      ModelConfig config,
      AdapterSettings settings,
      FrozenWeights base,
      LearnerOptions options,
      Execution execution) {
    return new AdapterMemoryPlan(
        config,
        settings,
        base,
        options.computeType(),
        options.activationMemory(),
        execution.threads(),
        execution.slices(),
        options.updates());
  }

  /// For batches of `rows` rows of `length` positions, without dropout.
  AdapterMemory memory(int rows, int length) {
    return memory(rows, length, new Dropout(0, 0));
  }

  /// For batches of `rows` rows of `length` positions.
  AdapterMemory memory(int rows, int length, Dropout dropout) {
    int used = Math.min(slices, rows);
    int passing = Math.min(workers, used);
    long adapter = new AdapterLayout(config, settings, updates.states()).size();
    boolean master = type != DType.F32 && updates.master() == MasterWeights.FP32;
    long perElement =
        Float.BYTES + (master ? Float.BYTES : 0) + (long) (1 + used) * type.byteSize();
    long moments = Math.round(adapter * updates.states().bytesPerWeight());
    ParameterLayout layout = new ParameterLayout(config);
    long layer = layout.buckets().getFirst().elements();
    return new AdapterMemory(
        matrices(layer)
            + embeddings(layout)
            + Float.BYTES * (layout.size() - layout.embeddingsEnd()),
        base == FrozenWeights.PLAIN ? 0 : passing * layer * type.byteSize(),
        adapter * perElement + moments,
        passing * (workspaces(rows, used, length) + dropped(rows, used, length, dropout)));
  }

  private long matrices(long layer) {
    if (base == FrozenWeights.PLAIN) {
      return config.numHiddenLayers() * layer * type.byteSize();
    }
    long bytes = 0;
    for (var target : moxin.train.adapter.AdapterTarget.values()) {
      var shape = target.weight().shape(config);
      bytes += QuantisedWeight.bytes(base, shape.getFirst() * shape.getLast());
    }
    return config.numHiddenLayers() * bytes;
  }

  private long embeddings(ParameterLayout layout) {
    return (layout.embeddingsEnd() - layout.matricesEnd()) * type.byteSize();
  }

  /// The widest input of a linear layer, once more.
  private long dropped(int rows, int used, int length, Dropout dropout) {
    long attended = (long) config.numAttentionHeads() * config.headDim();
    long widest = Math.max(attended, Math.max(config.hiddenSize(), config.intermediateSize()));
    long positions = (long) Math.ceilDiv(rows, used) * length;
    return dropout.isNone() ? 0 : positions * widest * type.byteSize();
  }

  /// A thread may meet slices of two sizes.
  private long workspaces(int rows, int used, int length) {
    long bytes = workspace(Math.ceilDiv(rows, used), length);
    return rows % used == 0 ? bytes : bytes + workspace(rows / used, length);
  }

  private long workspace(int rows, int length) {
    return new WorkspaceSize(config, rows, length, type, activations).bytes();
  }
}
