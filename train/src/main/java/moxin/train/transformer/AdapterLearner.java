package moxin.train.transformer;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.torch.Aten;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.AdaptingLearner;
import moxin.train.Batch;
import moxin.train.LearnerFactory.AdapterPlan;
import moxin.train.adapter.AdapterMemory;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.FrozenWeights;

/// Trains an adapter on libtorch. The model beneath has neither gradients nor optimizer state; the
/// adapter's factors are fp32 and are copied to the compute type for computing.
///
/// Slices, threads and sums are those of [TorchLearner]: on a CPU the same batches give the same
/// bits whatever the number of threads. Weight decay applies to both factors. Dropout differs from
/// step to step, micro-batch to micro-batch and slice to slice.
public final class AdapterLearner implements AdaptingLearner {
  private final ModelConfig config;
  private final AdapterSettings settings;
  private final LearnerOptions options;
  private final Execution execution;
  private final FrozenBase base;
  private final AdapterLayout layout;
  private final Parameters parameters;
  private final LowRankAdapters adapters;
  private final List<Tensor> tensors;
  private final Map<String, List<Long>> shapes;
  private final ParameterFiles files;
  private final SliceMemory<AdapterGradient> memory;
  private final SliceThreads threads;
  private final ParameterUpdates updates;
  private final Dropout dropout;
  private long steps;
  private int microBatches;
  private double norm = Double.NaN;

  /// A learner with a fresh adapter, which owns `base`.
  AdapterLearner(
      ModelConfig config,
      AdapterSettings settings,
      Dropout dropout,
      FrozenBase base,
      LearnerOptions options,
      Execution execution) {
    if (!dropout.isNone() && !options.device().isHost()) {
      throw new BadInputException("an adapter's dropout is on the CPU only; leave it out");
    }
    this.dropout = dropout;
    this.config = config;
    this.settings = settings;
    this.options = options;
    this.execution = execution;
    this.base = base;
    DType compute = options.computeType();
    try (Scope scope = Scope.open()) {
      layout = new AdapterLayout(config, settings, options.updates().states());
      parameters = Parameters.zeros(layout.size(), layout.size(), options);
      adapters =
          new LowRankAdapters(new AdapterViews(layout, parameters.compute()), settings.scale());
      tensors = scope.detach();
    }
    shapes = settings.shapes(config);
    files = new ParameterFiles(shapes, layout::slot, parameters);
    memory =
        new SliceMemory<>(
            config,
            options,
            execution,
            _ -> AdapterGradient.create(config, layout, adapters, compute, options.device()));
    threads = new SliceThreads(execution.threads(), execution.threadsPerOperator());
    updates =
        new ParameterUpdates(parameters, threads, execution.kernels(), options.updates().place());
  }

  /// A learner with a fresh adapter on the model of `checkpoint`, which may be closed afterwards.
  ///
  /// @param seed of the adapter
  /// @throws moxin.model.CheckpointFormatException if a weight is missing or has another shape
  /// @throws moxin.torch.LibTorchUnavailableException if libtorch cannot be used here
  /// @throws IOException if libtorch's libraries cannot be extracted
  public static AdapterLearner create(
      ModelConfig config,
      Checkpoint checkpoint,
      AdapterPlan plan,
      LearnerOptions options,
      long seed,
      Progress progress)
      throws IOException {
    LibTorch.load(progress);
    Execution execution = Execution.on(options.device(), options.processors());
    return create(config, checkpoint, plan, options, seed, execution);
  }

  /// As the other, without dropout.
  public static AdapterLearner create(
      ModelConfig config,
      Checkpoint checkpoint,
      AdapterSettings settings,
      FrozenWeights weights,
      LearnerOptions options,
      long seed,
      Progress progress)
      throws IOException {
    AdapterPlan plan = new AdapterPlan(settings, weights, 0);
    return create(config, checkpoint, plan, options, seed, progress);
  }

  static AdapterLearner create(
      ModelConfig config,
      Checkpoint checkpoint,
      AdapterSettings settings,
      FrozenWeights weights,
      LearnerOptions options,
      long seed,
      Execution execution) {
    return create(
        config, checkpoint, new AdapterPlan(settings, weights, 0), options, seed, execution);
  }

  static AdapterLearner create(
      ModelConfig config,
      Checkpoint checkpoint,
      AdapterPlan plan,
      LearnerOptions options,
      long seed,
      Execution execution) {
    LibTorch.prepareThread(execution.threadsPerOperator());
    FrozenBase base =
        plan.weights() == FrozenWeights.PLAIN
            ? new PlainBase(
                ModelWeights.load(config, checkpoint, options.computeType(), options.device()))
            : QuantisedBase.load(config, checkpoint, plan.weights(), options, execution.threads());
    try {
      Dropout dropout = new Dropout(plan.dropout(), seed);
      AdapterLearner learner =
          new AdapterLearner(config, plan.settings(), dropout, base, options, execution);
      learner.initialize(new AdapterInitializer(seed));
      return learner;
    } catch (RuntimeException | Error e) {
      base.close();
      throw e;
    }
  }

  /// Sets a fresh adapter and forgets the optimizer's state.
  void initialize(AdapterInitializer initializer) {
    shapes.forEach((name, shape) -> files.set(name, initializer.values(name, shape)));
    parameters.refreshCompute();
    parameters.forgetSteps();
    norm = Double.NaN;
    steps = 0;
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public AdapterSettings adapter() {
    return settings;
  }

  @Override
  public AdapterMemory memory(int rows, int length) {
    return AdapterMemoryPlan.of(config, settings, base.kind(), options, execution)
        .memory(rows, length, dropout);
  }

  @Override
  public double accumulate(Batch batch, double scale) {
    List<SliceBatch> slices = slices(batch);
    norm = Double.NaN;
    List<AdapterGradient> gradients = memory.gradients(slices);
    Dropout dropped = dropout.of(steps).of(microBatches++);
    double[] losses = new double[slices.size()];
    threads.run(
        slices.size(),
        (i, worker) -> {
          SliceBatch slice = slices.get(i);
          Workspace workspace = memory.workspace(worker, slice);
          losses[i] =
              transformer(worker)
                  .learn(
                      slice,
                      workspace,
                      gradients.get(i).dropping(dropped.of(i)),
                      scale,
                      base.pass(worker));
        });
    updates.add(gradients.stream().map(AdapterGradient::flat).toList(), layout.size());
    return Arrays.stream(losses).reduce(0, Double::sum);
  }

  @Override
  public double evaluate(Batch batch) {
    List<SliceBatch> slices = slices(batch);
    double[] losses = new double[slices.size()];
    threads.run(
        slices.size(),
        (i, worker) -> {
          SliceBatch slice = slices.get(i);
          Workspace workspace = memory.workspace(worker, slice);
          losses[i] = transformer(worker).loss(slice, workspace, adapters, base.pass(worker));
        });
    return Arrays.stream(losses).reduce(0, Double::sum);
  }

  @Override
  public double gradientNorm() {
    if (Double.isNaN(norm)) {
      double[] squares =
          GradientPieces.squaredNorms(
              threads, execution.kernels(), parameters.gradient(), layout.buckets());
      norm = Math.sqrt(Arrays.stream(squares).reduce(0, Double::sum));
    }
    return norm;
  }

  @Override
  public void step(AdamW adamW, double learningRate) {
    AdamWStep step =
        AdamWStep.of(adamW, learningRate, steps + 1, gradientNorm(), options.updates().seed());
    updates.step(step, adamW.weightDecay(), 0, layout.size());
    steps++;
    microBatches = 0;
    norm = Double.NaN;
  }

  @Override
  public void discardGradients() {
    Aten.zero(parameters.gradient());
    microBatches = 0;
    norm = Double.NaN;
  }

  @Override
  public List<TensorView> weights() {
    return files.weights();
  }

  @Override
  public List<TensorView> gradients() {
    return files.gradients();
  }

  @Override
  public List<TensorView> optimizerState() {
    return files.optimizerState(steps);
  }

  @Override
  public void loadWeights(Checkpoint checkpoint) {
    files.loadWeights(checkpoint);
    parameters.refreshCompute();
  }

  @Override
  public void loadOptimizerState(Checkpoint checkpoint) {
    steps = files.loadOptimizerState(checkpoint);
    microBatches = 0;
  }

  /// The gradient of the adapter's tensor `name` accumulated so far, row by row.
  public float[] gradient(String name) {
    return files.values(parameters.gradient(), name);
  }

  @Override
  public void close() {
    threads.close();
    memory.close();
    files.close();
    tensors.forEach(Tensor::close);
    base.close();
  }

  private List<SliceBatch> slices(Batch batch) {
    SliceBatch.requireIds(batch, config.vocabSize());
    return SliceBatch.slices(batch, execution.slices(), config.slidingWindow());
  }

  private Transformer transformer(int worker) {
    return new Transformer(
        config, execution.kernels(), base.blocks(worker), base.norms(), options.zLoss());
  }
}
