package moxin.train.transformer;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.adapter.FrozenWeights;
import org.jspecify.annotations.Nullable;

/// A model whose matrices are kept in 4 bits (Dettmers et al. 2023). The layer that a pass is at
/// stands in the compute type in one buffer per passing thread, filled by all processors;
/// embeddings stay in the compute type and norms in fp32. On the CPU only.
final class QuantisedBase implements FrozenBase {
  private static final int TASK_PIECES = 16;

  private final ParameterLayout layout;
  private final FrozenWeights kind;
  private final DType type;
  private final Arena arena;
  private final List<List<Placed>> layers = new ArrayList<>();
  private final Tensor embeddings;
  private final NormViews norms;
  private final List<Tensor> tensors;
  private final SliceThreads threads;
  private final @Nullable Resident[] residents;

  @SuppressWarnings("MustBeClosedChecker") // closed with this
  private QuantisedBase(
      ModelConfig config, FrozenWeights kind, LearnerOptions options, int workers) {
    this.kind = kind;
    this.layout = new ParameterLayout(config);
    this.type = options.computeType();
    this.arena = Arena.ofShared();
    try (Scope scope = Scope.open()) {
      long matrices = layout.matricesEnd();
      long end = layout.embeddingsEnd();
      embeddings = Tensor.zeros(type, Device.CPU, end - matrices);
      Tensor exact = Tensor.zeros(DType.F32, Device.CPU, layout.size() - end);
      norms = NormViews.of(layout, exact, end);
      tensors = scope.detach();
    }
    this.threads = new SliceThreads(options.processors(), 1);
    this.residents = new Resident[workers];
  }

  /// A weight and where it stands within its layer.
  private record Placed(QuantisedWeight weight, long at) {}

  /// Quantises the matrices of `checkpoint`, some at a time.
  ///
  /// @param workers how many threads pass
  /// @throws moxin.model.CheckpointFormatException if a weight is missing, has another shape or
  ///   cannot be quantised
  static QuantisedBase load(
      ModelConfig config,
      Checkpoint checkpoint,
      FrozenWeights kind,
      LearnerOptions options,
      int workers) {
    if (!options.device().isHost()) {
      throw new IllegalArgumentException(
          "quantised weights are kept on the CPU, not on " + options.device());
    }
    WeightNames.requireComplete(checkpoint, config);
    QuantisedBase base = new QuantisedBase(config, kind, options, workers);
    try {
      for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
        base.layers.add(base.quantise(layer, checkpoint));
      }
      base.copyRest(config, checkpoint);
      return base;
    } catch (RuntimeException | Error e) {
      base.close();
      throw e;
    }
  }

  @Override
  public FrozenWeights kind() {
    return kind;
  }

  @Override
  public NormViews norms() {
    return norms;
  }

  @Override
  public BlockViews blocks(int worker) {
    return resident(worker).views;
  }

  @Override
  public LayerPass pass(int worker) {
    return resident(worker);
  }

  @Override
  public void close() {
    threads.close();
    for (Resident resident : residents) {
      if (resident != null) {
        resident.tensors.forEach(Tensor::close);
      }
    }
    tensors.forEach(Tensor::close);
    arena.close();
  }

  private List<Placed> quantise(int layer, Checkpoint checkpoint) {
    List<Placed> placed = new ArrayList<>();
    for (LayerWeight name : LayerWeight.values()) {
      ParameterLayout.Slot slot = layout.slot(name.name(layer));
      if (slot.offset() >= layout.matricesEnd()) {
        continue;
      }
      TensorView source = checkpoint.tensor(name.name(layer));
      QuantisedWeight weight = QuantisedWeight.allocate(kind, slot.elements(), arena);
      inTasks(weight, piece -> weight.set(piece, source));
      unload(source);
      placed.add(new Placed(weight, slot.offset() - origin(layer)));
    }
    return List.copyOf(placed);
  }

  private void copyRest(ModelConfig config, Checkpoint checkpoint) {
    try (Scope _ = Scope.open()) {
      Tensor exact = tensors.get(1);
      for (String name : WeightNames.shapes(config).keySet()) {
        long at = layout.slot(name).offset();
        if (at >= layout.embeddingsEnd()) {
          ModelWeights.copy(checkpoint.tensor(name), exact, at - layout.embeddingsEnd());
        } else if (at >= layout.matricesEnd()) {
          ModelWeights.copy(checkpoint.tensor(name), embeddings, at - layout.matricesEnd());
        }
      }
    }
  }

  /// Pages of a file that are done with need not stay in memory.
  private static void unload(TensorView view) {
    if (view.data().isMapped()) {
      view.data().unload();
    }
  }

  private long origin(int layer) {
    return layout.buckets().get(layer).from();
  }

  private Resident resident(int worker) {
    Resident resident = residents[worker];
    if (resident == null) {
      resident = new Resident();
      residents[worker] = resident;
    }
    return resident;
  }

  /// What is done with one piece of a weight.
  @FunctionalInterface
  private interface PieceWork {
    void run(int piece);
  }

  private void inTasks(QuantisedWeight weight, PieceWork work) {
    int pieces = weight.pieces();
    threads.run(
        Math.ceilDiv(pieces, TASK_PIECES),
        (task, _) -> {
          int end = Math.min(pieces, (task + 1) * TASK_PIECES);
          for (int piece = task * TASK_PIECES; piece < end; piece++) {
            work.run(piece);
          }
        });
  }

  /// The layer that one thread is at. Used by that thread alone.
  private final class Resident implements LayerPass {
    private static final int NONE = -1;

    private final Tensor buffer;
    private final BlockViews views;
    private final List<Tensor> tensors;
    private int present = NONE;

    Resident() {
      try (Scope scope = Scope.open()) {
        buffer = Tensor.zeros(type, Device.CPU, layout.buckets().getFirst().elements());
        views =
            BlockViews.of(
                layout,
                layer -> new BlockViews.Window(buffer, origin(layer)),
                new BlockViews.Window(embeddings, layout.matricesEnd()));
        tensors = scope.detach();
      }
    }

    @Override
    public void beforeForward(int layer) {
      fill(layer);
    }

    @Override
    public void beforeBackward(int layer) {
      fill(layer);
    }

    private void fill(int layer) {
      if (present == layer) {
        return;
      }
      present = NONE;
      long base = buffer.address();
      boolean bf16 = type == DType.BF16;
      for (Placed placed : layers.get(layer)) {
        QuantisedWeight weight = placed.weight();
        inTasks(
            weight,
            piece -> {
              float[] values = new float[QuantisedWeight.PIECE];
              weight.read(piece, values);
              long at = placed.at() + (long) piece * QuantisedWeight.PIECE;
              long address = base + type.byteSize() * at;
              VectorNarrowing.store(values, weight.count(piece), bf16, address);
            });
      }
      present = layer;
    }
  }
}
