package moxin.train.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.DistributedLearner;

/// The learner of several processes as the training loop on process 0 sees it: each call is told to
/// the others, which [FollowingRank] makes do the same.
final class LeadingLearner implements DistributedLearner {
  private static final int PIECE = 1 << 20;

  private final ModelConfig config;
  private final Orders orders;
  private final ShardedLearner learner;
  private final ShardFiles files;

  /// Memory of what [#weights] and [#optimizerState] gave.
  private Arena copies = Arena.ofShared();

  /// Whether a collective operation failed: the others are somewhere within it.
  private boolean broken;

  LeadingLearner(ModelConfig config, Orders orders, ShardedLearner learner) {
    this.config = config;
    this.orders = orders;
    this.learner = learner;
    this.files = learner.files();
  }

  /// Sets fresh weights.
  void initialize(WeightInitializer initializer) {
    setWeights(
        (name, type, target) -> Precision.narrow(initializer.weights(config, name), type, target));
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public double accumulate(Batch batch, double scale) {
    SliceBatch.requireIds(batch, config.vocabSize());
    return together(
        () -> {
          long bits = Double.doubleToRawLongBits(scale);
          orders.give(Orders.Kind.ACCUMULATE, batch.rows(), batch.length(), bits);
          orders.batch(batch, batch.rows(), batch.length());
          return learner.accumulate(batch, scale);
        });
  }

  @Override
  public double evaluate(Batch batch) {
    SliceBatch.requireIds(batch, config.vocabSize());
    return together(
        () -> {
          orders.give(Orders.Kind.EVALUATE, batch.rows(), batch.length());
          orders.batch(batch, batch.rows(), batch.length());
          return learner.evaluate(batch);
        });
  }

  @Override
  public double gradientNorm() {
    return together(
        () -> {
          orders.give(Orders.Kind.NORM);
          return learner.gradientNorm();
        });
  }

  @Override
  public void step(AdamW adamW, double learningRate) {
    together(
        () -> {
          orders.give(Orders.Kind.STEP, Double.doubleToRawLongBits(learningRate));
          learner.step(orders.adamW(adamW), learningRate);
          return true;
        });
  }

  @Override
  public void discardGradients() {
    together(
        () -> {
          orders.give(Orders.Kind.DISCARD);
          learner.discardGradients();
          return true;
        });
  }

  @Override
  public List<TensorView> weights() {
    return together(
        () -> {
          orders.give(Orders.Kind.WEIGHTS);
          return files.weights(copies);
        });
  }

  @Override
  public List<TensorView> gradients() {
    return together(
        () -> {
          orders.give(Orders.Kind.GRADIENTS);
          return files.gradients(copies);
        });
  }

  @Override
  public List<TensorView> optimizerState() {
    return together(
        () -> {
          orders.give(Orders.Kind.MOMENTS);
          List<TensorView> state = new ArrayList<>(files.moments(copies));
          MemorySegment steps = copies.allocate(8, 8);
          steps.set(ValueLayout.JAVA_LONG, 0, learner.steps());
          state.add(TensorView.of(ParameterFiles.STEP, DType.I64, steps, 1));
          return state;
        });
  }

  @Override
  public void loadWeights(Checkpoint checkpoint) {
    WeightNames.requireComplete(checkpoint, config);
    setWeights((name, type, target) -> convert(checkpoint.tensor(name), type, target));
  }

  private void setWeights(ShardFiles.Source source) {
    together(
        () -> {
          orders.give(Orders.Kind.SET_WEIGHTS);
          files.setWeights(source);
          learner.weightsChanged();
          return true;
        });
  }

  @Override
  public void loadOptimizerState(Checkpoint checkpoint) {
    long steps = files.requireOptimizerState(checkpoint);
    together(
        () -> {
          orders.give(Orders.Kind.SET_MOMENTS, steps);
          files.setOptimizerState(
              suffix ->
                  (name, _, target) -> target.copyFrom(checkpoint.tensor(name + suffix).data()));
          learner.setSteps(steps);
          return true;
        });
  }

  @Override
  public void writeCheckpoint(Path directory) throws IOException {
    String path = directory.toAbsolutePath().toString();
    int length = path.getBytes(StandardCharsets.UTF_8).length;
    Optional<IOException> failure =
        together(
            () -> {
              orders.give(Orders.Kind.WRITE, length);
              orders.text(path, length);
              try {
                files.write(directory, learner.steps());
                return Optional.empty();
              } catch (IOException e) {
                return Optional.of(e);
              }
            });
    if (failure.isPresent()) {
      throw failure.get();
    }
  }

  @Override
  public void close() {
    if (!broken) {
      together(
          () -> {
            orders.give(Orders.Kind.CLOSE);
            return true;
          });
    }
    learner.close();
    copies.close();
  }

  @SuppressWarnings("MustBeClosedChecker") // closed when it is replaced, or with this
  private <T> T together(Supplier<T> operation) {
    if (broken) {
      throw new IllegalStateException("an operation of the processes has failed before");
    }
    broken = true;
    copies.close();
    copies = Arena.ofShared();
    T result = operation.get();
    broken = false;
    return result;
  }

  /// A piece at a time: a weight may be larger than the heap has room for.
  private static void convert(TensorView weight, DType type, MemorySegment target) {
    long size = type.byteSize();
    for (long from = 0; from < weight.elements(); from += PIECE) {
      int count = (int) Math.min(PIECE, weight.elements() - from);
      float[] piece = new float[count];
      Precision.widen(weight, from, piece, 0, count);
      Precision.narrow(piece, type, target.asSlice(from * size, count * size));
    }
  }
}
