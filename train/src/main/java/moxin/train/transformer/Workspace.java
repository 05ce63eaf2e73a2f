package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// The memory in which one slice of a batch goes forward and backward, allocated once for a shape:
/// a run's memory is flat by construction. Belongs to one thread at a time.
final class Workspace implements AutoCloseable {
  private static final long LOGIT_ELEMENTS = 1L << 25;

  private final int rows;
  private final int length;
  private final ActivationMemory memory;
  private final List<Block> blocks = new ArrayList<>();
  private final Shared shared;
  private final List<Tensor> tensors;

  private Workspace(Plan plan) {
    this.rows = plan.rows();
    this.length = plan.length();
    this.memory = plan.memory();
    try (Scope scope = Scope.open()) {
      addBlocks(plan);
      shared = Shared.of(plan);
      tensors = scope.detach();
    }
  }

  /// A workspace for slices of `rows` rows of `length` positions.
  static Workspace create(
      ModelConfig config,
      int rows,
      int length,
      DType type,
      Device device,
      Kernels kernels,
      ActivationMemory memory) {
    return new Workspace(new Plan(config, rows, length, type, device, kernels, memory));
  }

  private record Plan(
      ModelConfig config,
      int rows,
      int length,
      DType type,
      Device device,
      Kernels kernels,
      ActivationMemory memory) {

    int positions() {
      return rows * length;
    }

    int attendedWidth() {
      return config.numAttentionHeads() * config.headDim();
    }

    int projectedWidth() {
      return attendedWidth() + 2 * config.numKeyValueHeads() * config.headDim();
    }

    Tensor residual() {
      return Tensor.zeros(DType.F32, device, positions(), config.hiddenSize());
    }

    Tensor scales() {
      return Tensor.zeros(DType.F32, device, positions());
    }

    Tensor activations(int width) {
      return Tensor.zeros(type, device, positions(), width);
    }
  }

  /// What a block's backward pass needs of its forward pass.
  ///
  /// @param x fp32, the residual stream at its start
  /// @param middle fp32, the residual stream between attention and feed-forward
  record Block(
      Tensor x,
      Tensor attentionRstd,
      Tensor attentionNormed,
      Attention attention,
      Tensor attended,
      Tensor middle,
      Tensor feedForwardRstd,
      Tensor feedForwardNormed,
      Tensor gateUp) {}

  /// What all blocks use in turn.
  ///
  /// @param branch what the last block's feed-forward, or its attention, adds to the stream
  /// @param dx fp32, the gradient of the residual stream
  /// @param dxCompute the same in the compute type
  record Shared(
      Tensor projected,
      Tensor branch,
      Tensor activated,
      Tensor dAttended,
      Tensor last,
      Tensor lastRstd,
      Tensor lastNormed,
      Tensor logits,
      Tensor dx,
      Tensor dxCompute) {

    private static Shared of(Plan plan) {
      ModelConfig config = plan.config();
      long chunk = logitRows(config, plan.positions());
      return new Shared(
          plan.activations(plan.projectedWidth()),
          plan.activations(config.hiddenSize()),
          plan.activations(config.intermediateSize()),
          plan.activations(plan.attendedWidth()),
          plan.residual(),
          plan.scales(),
          plan.activations(config.hiddenSize()),
          Tensor.zeros(plan.type(), plan.device(), chunk, config.vocabSize()),
          plan.residual(),
          plan.activations(config.hiddenSize()));
    }
  }

  /// How many of `positions` positions have their logits in memory at once.
  static long logitRows(ModelConfig config, long positions) {
    return Math.min(positions, Math.max(64, LOGIT_ELEMENTS / config.vocabSize()));
  }

  /// The bytes of all its tensors.
  long byteSize() {
    long bytes = 0;
    for (Tensor tensor : tensors) {
      bytes += tensor.elements() * tensor.type().byteSize();
    }
    return bytes;
  }

  int rows() {
    return rows;
  }

  int length() {
    return length;
  }

  /// Whether blocks have memory of their own for what the backward pass needs; what they have not
  /// they share.
  ActivationMemory memory() {
    return memory;
  }

  Block block(int layer) {
    return blocks.get(layer);
  }

  Shared shared() {
    return shared;
  }

  @Override
  public void close() {
    tensors.forEach(Tensor::close);
  }

  private void addBlocks(Plan plan) {
    int layers = plan.config().numHiddenLayers();
    int kept = memory == ActivationMemory.RECOMPUTE ? 1 : layers;
    AttentionShape shape =
        new AttentionShape(plan.config(), rows, length, plan.type(), plan.device());
    List<Attention> attentions = plan.kernels().attentions(shape, kept);
    for (int layer = 0; layer < layers; layer++) {
      if (layer == 0 || memory == ActivationMemory.KEEP) {
        blocks.add(newBlock(plan, attentions.get(layer)));
      } else if (memory == ActivationMemory.SELECTIVE) {
        blocks.add(sharingSome(plan, attentions.get(layer), blocks.getFirst()));
      } else {
        blocks.add(sharing(plan, blocks.getFirst()));
      }
    }
  }

  private static Block newBlock(Plan plan, Attention attention) {
    int hidden = plan.config().hiddenSize();
    return new Block(
        plan.residual(),
        plan.scales(),
        plan.activations(hidden),
        attention,
        plan.activations(plan.attendedWidth()),
        plan.residual(),
        plan.scales(),
        plan.activations(hidden),
        plan.activations(2 * plan.config().intermediateSize()));
  }

  /// A block that shares what norms and the feed-forward layer give.
  private static Block sharingSome(Plan plan, Attention attention, Block other) {
    return new Block(
        plan.residual(),
        plan.scales(),
        other.attentionNormed(),
        attention,
        plan.activations(plan.attendedWidth()),
        plan.residual(),
        plan.scales(),
        other.feedForwardNormed(),
        other.gateUp());
  }

  /// A block of its own input that computes in the memory of another.
  private static Block sharing(Plan plan, Block other) {
    return new Block(
        plan.residual(),
        other.attentionRstd(),
        other.attentionNormed(),
        other.attention(),
        other.attended(),
        other.middle(),
        other.feedForwardRstd(),
        other.feedForwardNormed(),
        other.gateUp());
  }
}
