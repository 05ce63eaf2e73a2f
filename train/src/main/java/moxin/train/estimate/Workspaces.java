package moxin.train.estimate;

import moxin.model.ModelConfig;
import moxin.train.MasterWeights;
import moxin.train.OptimizerStates;

/// The bytes of the memory in which one slice of a batch goes forward and backward.
///
/// Of each block the backward pass needs the residual stream at its start and its middle (fp32, N·C
/// each), both norms' results (N·C each) and scales, what attention keeps, its result (N·H·D), and
/// gate and up (N·2F); with recomputation one block's, and the other blocks' starts; with selective
/// recomputation the results of norms and gate and up of one block.
///
/// @param length T
record Workspaces(ModelConfig config, int length, Placement placement) {
  private static final long LOGIT_ELEMENTS = 1L << 25;
  private static final double UPDATED = 1L << 22;
  private static final double NARROW_UPDATE = 420;
  private static final double EXACT_UPDATE = 12;
  private static final int TILE = 128;
  private static final int ROUND = 32;
  private static final double LARGEST_KEPT_BYTES = 1L << 27;

  /// What slices of `rows` rows keep and work in, but for the logits.
  double activations(int rows) {
    double n = (double) rows * length;
    double s = placement.computeType().byteSize();
    double hidden = config.hiddenSize();
    double width = config.intermediateSize();
    double stream = 4 * n * hidden;
    double scales = 4 * n;
    double cheap = s * n * (2 * hidden + 2 * width);
    double kept = 2 * (stream + scales) + s * n * queries() + attentionOfBlock(rows);
    int layers = config.numHiddenLayers();
    double blocks =
        switch (placement.activations()) {
          case KEEP -> layers * (kept + cheap);
          case SELECTIVE -> layers * kept + cheap;
          case RECOMPUTE -> kept + cheap + (layers - 1) * stream;
        };
    double shared =
        s * n * (queries() + 2 * keys() + 3 * hidden + width + queries()) + 2 * stream + scales;
    return blocks + shared + attentionShared(rows);
  }

  /// The logits, a chunk of positions at a time, and the most that libtorch's operators need for a
  /// moment: four copies of the logits in fp32, the gradient of the embedding and its sum, or what
  /// an update of narrow numbers makes of a chunk of them.
  double logits(int rows) {
    double vocabulary = config.vocabSize();
    double chunk =
        Math.min(
            (double) rows * length, (double) Math.max(64, LOGIT_ELEMENTS / config.vocabSize()));
    boolean operators = placement.attention() != AttentionMemory.TILED;
    double table = vocabulary * config.hiddenSize();
    double room = Math.max(Math.max(16 * chunk * vocabulary, 8 * table), update());
    return chunk * vocabulary * placement.computeType().byteSize() + (operators ? room : 0);
  }

  private double update() {
    boolean narrow =
        placement.moments() != OptimizerStates.FP32 || placement.master() == MasterWeights.NONE;
    double chunk = Math.min(UPDATED, (double) config.parameterCount());
    return chunk * (narrow ? NARROW_UPDATE : EXACT_UPDATE);
  }

  private double attentionOfBlock(int rows) {
    double s = placement.computeType().byteSize();
    double n = (double) rows * length;
    return switch (placement.attention()) {
      case TILED -> {
        double keyed = (double) rows * config.numKeyValueHeads() * room() * config.headDim();
        double kept = keptProbabilities(rows);
        yield s * (n * queries() + 2 * keyed + (keeps(rows) ? kept : tileElements()));
      }
      case SCORES -> s * (n * (queries() + 2 * keys()) + scores(rows));
      case FUSED -> s * n * (queries() + 2 * keys()) + 4 * n * config.numAttentionHeads();
    };
  }

  private double attentionShared(int rows) {
    double s = placement.computeType().byteSize();
    return switch (placement.attention()) {
      case TILED -> {
        double tileRows = (double) TILE * perGroup();
        double keyed = (double) room() * config.headDim();
        double pairs = (double) rows * config.numKeyValueHeads();
        yield s * (tileRows * room() + tileRows * config.headDim() + keyed)
            + s * rows * length * queries()
            + 2 * 4 * pairs * keyed;
      }
      // Backward: gradients of probabilities and scores in both types, and the probabilities.
      case SCORES -> (16 + 2 * s) * scores(rows) + 4.0 * rows * length * length;
      case FUSED -> 0;
    };
  }

  private boolean keeps(int rows) {
    return keptProbabilities(rows) * placement.computeType().byteSize() <= LARGEST_KEPT_BYTES;
  }

  private double keptProbabilities(int rows) {
    double tiles = Math.ceilDiv(length, TILE);
    return tileElements() * tiles * rows * config.numKeyValueHeads();
  }

  private double tileElements() {
    int reach = Math.min(config.slidingWindow().orElse(length), length);
    return (double) TILE * perGroup() * Math.min(room(), roundUp(reach + TILE + 2 * ROUND));
  }

  private double scores(int rows) {
    return (double) rows * config.numAttentionHeads() * length * length;
  }

  private int room() {
    return roundUp(length);
  }

  private int perGroup() {
    return config.numAttentionHeads() / config.numKeyValueHeads();
  }

  private double queries() {
    return (double) config.numAttentionHeads() * config.headDim();
  }

  private double keys() {
    return (double) config.numKeyValueHeads() * config.headDim();
  }

  private static int roundUp(int count) {
    return (count + ROUND - 1) / ROUND * ROUND;
  }
}
