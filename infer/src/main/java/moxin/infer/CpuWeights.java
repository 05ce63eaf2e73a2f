package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.WeightFormat;
import moxin.model.Checkpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.RotaryOrder;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;

/// The weights of a model, packed for the kernels, in native memory that lives until it is closed.
/// Immutable.
///
/// @param finalNorm `(C)` in fp32, as all norms
/// @param output `(V, C)`
record CpuWeights(
    Arena arena,
    Embedding embedding,
    List<Layer> layers,
    MemorySegment finalNorm,
    PackedMatrix output)
    implements AutoCloseable {

  /// The weights of one block.
  record Layer(
      MemorySegment attentionNorm,
      PackedMatrix query,
      PackedMatrix key,
      PackedMatrix value,
      PackedMatrix attentionOutput,
      MemorySegment feedForwardNorm,
      PackedMatrix gate,
      PackedMatrix up,
      PackedMatrix down) {}

  /// Packs the weights of `checkpoint` on the threads of `workers`.
  ///
  /// @throws moxin.model.CheckpointFormatException if a weight is missing or has another shape
  static CpuWeights load(
      Checkpoint checkpoint, ModelConfig config, MatrixKernels kernels, Workers workers) {
    WeightNames.requireComplete(checkpoint, config);
    @SuppressWarnings("MustBeClosedChecker")
    Arena arena = Arena.ofShared();
    try {
      return new Loading(checkpoint, config, new Packing(kernels, workers, arena)).load();
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /// Bytes of the packed matrices.
  long byteSize() {
    long layerBytes =
        layers.stream()
            .flatMap(
                layer ->
                    List.of(
                        layer.query,
                        layer.key,
                        layer.value,
                        layer.attentionOutput,
                        layer.gate,
                        layer.up,
                        layer.down)
                        .stream())
            .mapToLong(matrix -> matrix.data().byteSize())
            .sum();
    return layerBytes + output.data().byteSize();
  }

  /// What a cache keeps as precisely as these weights deserve: fp32 beside fp32, else fp16.
  KvType cacheType() {
    return layers.getFirst().query.format() == WeightFormat.F32 ? KvType.F32 : KvType.F16;
  }

  @Override
  public void close() {
    arena.close();
  }

  private record Loading(Checkpoint checkpoint, ModelConfig config, Packing packing) {

    CpuWeights load() {
      Embedding embedding =
          Embedding.copyOf(checkpoint.tensor(WeightNames.EMBEDDING), packing.arena());
      List<Layer> layers =
          IntStream.range(0, config.numHiddenLayers()).mapToObj(this::layer).toList();
      return new CpuWeights(
          packing.arena(),
          embedding,
          layers,
          vector(WeightNames.FINAL_NORM),
          matrix(WeightNames.outputProjection(config)));
    }

    private Layer layer(int layer) {
      return new Layer(
          vector(LayerWeight.ATTENTION_NORM.name(layer)),
          rotated(LayerWeight.QUERY.name(layer)),
          rotated(LayerWeight.KEY.name(layer)),
          matrix(LayerWeight.VALUE.name(layer)),
          matrix(LayerWeight.ATTENTION_OUTPUT.name(layer)),
          vector(LayerWeight.FEED_FORWARD_NORM.name(layer)),
          matrix(LayerWeight.GATE.name(layer)),
          matrix(LayerWeight.UP.name(layer)),
          matrix(LayerWeight.DOWN.name(layer)));
    }

    private PackedMatrix matrix(String name) {
      TensorView view = checkpoint.tensor(name);
      return packing.pack(view, IntStream.range(0, rows(view)).toArray());
    }

    /// A projection whose rows are rotated in pairs, with its rows in half-split order.
    private PackedMatrix rotated(String name) {
      TensorView view = checkpoint.tensor(name);
      int depth = config.headDim();
      int[] head = RotaryOrder.HALF_SPLIT.rowsFrom(checkpoint.rotaryOrder(), depth);
      int[] order =
          IntStream.range(0, rows(view))
              .map(row -> row / depth * depth + head[row % depth])
              .toArray();
      return packing.pack(view, order);
    }

    private static int rows(TensorView view) {
      return Math.toIntExact(view.shape().getFirst());
    }

    private MemorySegment vector(String name) {
      float[] numbers = Precision.widen(checkpoint.tensor(name));
      int padded = PackedMatrix.tiles(numbers.length) * MatrixKernels.TILE;
      MemorySegment segment = packing.arena().allocate((long) padded * Float.BYTES, 64);
      MemorySegment.copy(numbers, 0, segment, PassBuffers.FLOAT, 0, numbers.length);
      return segment;
    }
  }
}
