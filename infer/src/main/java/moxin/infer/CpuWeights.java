package moxin.infer;

import java.util.List;
import java.util.stream.IntStream;
import moxin.model.Checkpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;

/// The weights of a model, packed for the kernels. Immutable.
///
/// @param embedding `(V, C)`
/// @param finalNorm `(C)`
/// @param output `(V, C)`, the embedding itself where they are tied
record CpuWeights(
    PackedMatrix embedding, List<Layer> layers, float[] finalNorm, PackedMatrix output) {

  /// The weights of one block.
  record Layer(
      float[] attentionNorm,
      PackedMatrix query,
      PackedMatrix key,
      PackedMatrix value,
      PackedMatrix attentionOutput,
      float[] feedForwardNorm,
      PackedMatrix gate,
      PackedMatrix up,
      PackedMatrix down) {}

  static CpuWeights load(Checkpoint checkpoint, ModelConfig config, Workers workers) {
    WeightNames.requireComplete(checkpoint, config);
    PackedMatrix embedding = matrix(checkpoint, WeightNames.EMBEDDING, workers);
    List<Layer> layers =
        IntStream.range(0, config.numHiddenLayers())
            .mapToObj(layer -> layer(checkpoint, layer, workers))
            .toList();
    PackedMatrix output =
        config.tieWordEmbeddings() ? embedding : matrix(checkpoint, WeightNames.LM_HEAD, workers);
    return new CpuWeights(embedding, layers, vector(checkpoint, WeightNames.FINAL_NORM), output);
  }

  private static Layer layer(Checkpoint checkpoint, int layer, Workers workers) {
    return new Layer(
        vector(checkpoint, LayerWeight.ATTENTION_NORM.name(layer)),
        matrix(checkpoint, LayerWeight.QUERY.name(layer), workers),
        matrix(checkpoint, LayerWeight.KEY.name(layer), workers),
        matrix(checkpoint, LayerWeight.VALUE.name(layer), workers),
        matrix(checkpoint, LayerWeight.ATTENTION_OUTPUT.name(layer), workers),
        vector(checkpoint, LayerWeight.FEED_FORWARD_NORM.name(layer)),
        matrix(checkpoint, LayerWeight.GATE.name(layer), workers),
        matrix(checkpoint, LayerWeight.UP.name(layer), workers),
        matrix(checkpoint, LayerWeight.DOWN.name(layer), workers));
  }

  private static PackedMatrix matrix(Checkpoint checkpoint, String name, Workers workers) {
    return PackedMatrix.pack(checkpoint.tensor(name), workers);
  }

  private static float[] vector(Checkpoint checkpoint, String name) {
    return Precision.widen(checkpoint.tensor(name));
  }
}
