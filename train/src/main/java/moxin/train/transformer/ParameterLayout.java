package moxin.train.transformer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.job.BadInputException;
import moxin.model.ModelConfig;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.train.OptimizerStates;

/// Where each parameter stands in the flat arrays of weights, gradients and moments.
///
/// Matrices come first, then embeddings, then norms: the groups that weight decay tells apart are
/// three ranges. Query, key and value projections follow one another, as do gate and up, so that
/// each is one matrix product. Parameters begin at multiples of 64 elements, or of a block of the
/// optimizer's state if that is more; the gaps stay zero.
final class ParameterLayout {
  private static final long PIECE = 4096;

  private final List<Bucket> buckets = new ArrayList<>();
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final List<Layer> layers = new ArrayList<>();
  private final Slot embedding;
  private final Slot head;
  private final Slot finalNorm;
  private final long matrices;
  private final long embeddings;
  private final long size;

  /// Where parameters stand that have no optimizer's state, or one in fp32.
  ParameterLayout(ModelConfig config) {
    this(config, OptimizerStates.FP32);
  }

  /// Where parameters stand whose optimizer's state is `states`.
  ///
  /// @throws BadInputException if two parameters of one matrix would share a block of the state
  ParameterLayout(ModelConfig config, OptimizerStates states) {
    int unit = states.alignment();
    int hidden = config.hiddenSize();
    List<LayerMatrices> blocks = new ArrayList<>();
    long at = 0;
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      LayerMatrices block = LayerMatrices.at(at, layer, config, slots, unit);
      blocks.add(block);
      buckets.add(new Bucket(at, align(block.down().end(), unit), PIECE, Group.MATRICES));
      at = align(block.down().end(), unit);
    }
    matrices = at;
    embedding = new Slot(at, config.vocabSize(), hidden);
    at = align(embedding.end(), unit);
    head = config.tieWordEmbeddings() ? embedding : new Slot(at, config.vocabSize(), hidden);
    at = align(head.end(), unit);
    embeddings = at;
    long rows = states == OptimizerStates.INT8 ? leastCommonMultiple(hidden, unit) : hidden;
    long wholeRows = Math.ceilDiv(PIECE, rows) * rows;
    buckets.add(new Bucket(embedding.offset(), embedding.end(), wholeRows, Group.EMBEDDINGS));
    if (!config.tieWordEmbeddings()) {
      buckets.add(new Bucket(head.offset(), head.end(), wholeRows, Group.EMBEDDINGS));
    }
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      Slot attentionNorm = new Slot(at, 1, hidden);
      Slot feedForwardNorm = new Slot(align(attentionNorm.end(), unit), 1, hidden);
      at = align(feedForwardNorm.end(), unit);
      slots.put(LayerWeight.ATTENTION_NORM.name(layer), attentionNorm);
      slots.put(LayerWeight.FEED_FORWARD_NORM.name(layer), feedForwardNorm);
      layers.add(new Layer(blocks.get(layer), attentionNorm, feedForwardNorm));
    }
    finalNorm = new Slot(at, 1, hidden);
    size = align(finalNorm.end(), unit);
    buckets.add(new Bucket(embeddings, size, PIECE, Group.NORMS));
    slots.put(WeightNames.EMBEDDING, embedding);
    slots.put(WeightNames.FINAL_NORM, finalNorm);
    slots.put(WeightNames.outputProjection(config), head);
    requireWholeBlocks(slots, states);
  }

  /// What weight decay tells apart.
  enum Group {
    /// Projections.
    MATRICES,
    /// Embedding and output projection.
    EMBEDDINGS,
    /// Weights of norms.
    NORMS
  }

  /// Parameters that are exchanged together: a layer's matrices, the embedding, the output
  /// projection where it is another, all norms.
  ///
  /// @param from its first element, and `to` the one after its last
  /// @param piece the length of the pieces that are never split, counted from `from`; whole rows of
  ///   embeddings
  record Bucket(long from, long to, long piece, Group group) {
    long elements() {
      return to - from;
    }

    /// How many pieces it has, the last of which may be shorter.
    long pieces() {
      return Math.ceilDiv(elements(), piece);
    }
  }

  /// A parameter `(rows, columns)` from element `offset` on.
  record Slot(long offset, int rows, int columns) {
    long elements() {
      return (long) rows * columns;
    }

    long end() {
      return offset + elements();
    }

    private Slot rows(int from, int count) {
      return new Slot(offset + (long) from * columns, count, columns);
    }
  }

  /// The parameters of a block.
  record Layer(LayerMatrices matrices, Slot attentionNorm, Slot feedForwardNorm) {}

  /// The matrices of a block: queries, keys and values joined; gate and up joined.
  record LayerMatrices(Slot projections, Slot output, Slot gateUp, Slot down) {

    private static LayerMatrices at(
        long offset, int layer, ModelConfig config, Map<String, Slot> slots, int unit) {
      int hidden = config.hiddenSize();
      int width = config.intermediateSize();
      int queries = config.numAttentionHeads() * config.headDim();
      int keys = config.numKeyValueHeads() * config.headDim();
      Slot projections = new Slot(offset, queries + 2 * keys, hidden);
      Slot output = new Slot(align(projections.end(), unit), hidden, queries);
      Slot gateUp = new Slot(align(output.end(), unit), 2 * width, hidden);
      Slot down = new Slot(align(gateUp.end(), unit), hidden, width);
      slots.put(LayerWeight.QUERY.name(layer), projections.rows(0, queries));
      slots.put(LayerWeight.KEY.name(layer), projections.rows(queries, keys));
      slots.put(LayerWeight.VALUE.name(layer), projections.rows(queries + keys, keys));
      slots.put(LayerWeight.ATTENTION_OUTPUT.name(layer), output);
      slots.put(LayerWeight.GATE.name(layer), gateUp.rows(0, width));
      slots.put(LayerWeight.UP.name(layer), gateUp.rows(width, width));
      slots.put(LayerWeight.DOWN.name(layer), down);
      return new LayerMatrices(projections, output, gateUp, down);
    }
  }

  /// The slot of a weight by its Hugging Face name.
  Slot slot(String name) {
    Slot slot = slots.get(name);
    if (slot == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    return slot;
  }

  /// All parameters but for gaps, in order: first the layers, one by one, last the norms.
  List<Bucket> buckets() {
    return List.copyOf(buckets);
  }

  List<Layer> layers() {
    return List.copyOf(layers);
  }

  Slot embedding() {
    return embedding;
  }

  /// The output projection; the embedding where they are tied.
  Slot head() {
    return head;
  }

  Slot finalNorm() {
    return finalNorm;
  }

  /// The end of the projections' range, which begins at 0.
  long matricesEnd() {
    return matrices;
  }

  /// The end of the embeddings' range, which follows.
  long embeddingsEnd() {
    return embeddings;
  }

  /// The end of the norms' range, which follows: the size of the flat arrays.
  long size() {
    return size;
  }

  /// Checks that every parameter begins a block of the optimizer's state.
  static void requireWholeBlocks(Map<String, Slot> slots, OptimizerStates states) {
    if (states != OptimizerStates.INT8) {
      return;
    }
    slots.forEach(
        (name, slot) -> {
          if (slot.offset() % states.alignment() != 0) {
            throw new BadInputException(
                "optimizer.states: int8 needs matrices of whole blocks of "
                    + states.alignment()
                    + " weights, and "
                    + name
                    + " would begin within one; use bf16");
          }
        });
  }

  private static long leastCommonMultiple(long a, long b) {
    long x = a;
    long y = b;
    while (y != 0) {
      long rest = x % y;
      x = y;
      y = rest;
    }
    return a / x * b;
  }

  static long align(long offset, int unit) {
    return (offset + unit - 1) / unit * unit;
  }
}
