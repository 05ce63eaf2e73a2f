package moxin.train.scaling;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.ZeroStage;

/// Bytes that an average process sends to others, and what it keeps in memory, when `processes`
/// train a model with as many slices or more slices in a batch than there are processes.
///
/// The average is over the processes: all together send exactly `processes` times as much.
///
/// @param type of matrices and their gradients, F32 or BF16
public record Volume(ModelConfig config, ZeroStage stage, int processes, DType type) {

  /// What stage 3 keeps of the layers it has fetched.
  private static final int WINDOW = 2;

  /// Matrices of one layer, in elements.
  public long layerElements() {
    long hidden = config.hiddenSize();
    long queries = (long) config.numAttentionHeads() * config.headDim();
    long keys = (long) config.numKeyValueHeads() * config.headDim();
    return hidden * (2 * queries + 2 * keys) + 3 * hidden * config.intermediateSize();
  }

  /// Embedding or output projection, in elements.
  public long embeddingElements() {
    return (long) config.vocabSize() * config.hiddenSize();
  }

  /// All norms, in elements.
  public long normElements() {
    return (2L * config.numHiddenLayers() + 1) * config.hiddenSize();
  }

  private long tables() {
    return config.tieWordEmbeddings() ? 1 : 2;
  }

  private double toOthers(double bytes) {
    return bytes * (processes - 1) / processes;
  }

  /// Gradients of matrices and norms, once for every slice that a process computes.
  public double gradientBytesPerSlice() {
    double matrices = (double) config.numHiddenLayers() * layerElements() + embeddingElements();
    return toOthers(matrices * type.byteSize() + normElements() * 4.0);
  }

  /// Rows of the embedding's gradient, at most: if all ids were different or evenly spread.
  ///
  /// @param positions of a slice
  public double embeddingBytesPerSlice(long positions) {
    return toOthers(positions * config.hiddenSize() * 4.0);
  }

  /// Weights that are fetched layer by layer, at stage 3.
  ///
  /// @param slices that a process computes between two updates, one after the other
  public double fetchedBytes(long slices) {
    if (stage != ZeroStage.WEIGHTS) {
      return 0;
    }
    long layers = config.numHiddenLayers();
    long window = Math.min(WINDOW, layers);
    // The last layers of a pass are still there when the next begins, forward or backward.
    long fetches = window + 2 * slices * (layers - window);
    return toOthers((double) fetches * layerElements() * type.byteSize());
  }

  /// What is sent once per update: the new weights, or at stage 0 the gradients; and the squares of
  /// the gradient's norm.
  public double updateBytes() {
    double matrices = (double) config.numHiddenLayers() * layerElements();
    double tables = (double) tables() * embeddingElements();
    double sent =
        switch (stage) {
          case NONE -> (matrices + tables + normElements()) * 4;
          case OPTIMIZER, GRADIENTS -> (matrices + tables) * type.byteSize() + normElements() * 4.0;
          case WEIGHTS -> tables * type.byteSize() + normElements() * 4.0;
        };
    return toOthers(sent);
  }

  /// Bytes of one step.
  ///
  /// @param slices that a process computes in the step
  public double stepBytes(long slices, long positionsPerSlice) {
    return slices * (gradientBytesPerSlice() + embeddingBytesPerSlice(positionsPerSlice))
        + fetchedBytes(slices)
        + updateBytes();
  }

  /// Bytes of weights, gradients and optimizer state that a process keeps; activations come on top.
  public double stateBytes() {
    double all = config.parameterCount();
    double matrices = (double) config.numHiddenLayers() * layerElements();
    double tables = (double) tables() * embeddingElements();
    int size = type.byteSize();
    int copy = type == DType.F32 ? 0 : size;
    double window = (double) WINDOW * layerElements() * size;
    double head = (double) embeddingElements() * size;
    double own = all / processes * (16 + copy);
    return switch (stage) {
      case NONE -> all * (16 + copy) + matrices * size + head;
      case OPTIMIZER -> own + (matrices + tables) * size + matrices * size + head;
      case GRADIENTS -> own + (matrices + tables) * size + window + head;
      case WEIGHTS -> own + tables * size + window + window + head;
    };
  }
}
