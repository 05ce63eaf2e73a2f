package moxin.train.transformer;

import java.io.IOException;
import java.util.List;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.torch.Aten;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.Learner;

/// A [Learner] on libtorch.
///
/// In bf16 the matrices are kept in fp32 and copied to bf16 for computing, unless [UpdateOptions]
/// has no master weights; activations are bf16, while the residual stream, norms, softmax sums,
/// losses and all sums of gradients are fp32 or wider. On a CPU the same batches give the same bits
/// whatever the number of threads.
public final class TorchLearner implements Learner {
  private final ModelConfig config;
  private final Execution execution;
  private final SliceThreads threads;
  private final ParameterLayout layout;
  private final Parameters parameters;
  private final ParameterUpdates updates;
  private final ParameterFiles files;
  private final Transformer transformer;
  private final List<Tensor> tensors;
  private final SliceMemory<SliceGradient> memory;
  private final long seed;
  private long steps;
  private double norm = Double.NaN;

  TorchLearner(ModelConfig config, LearnerOptions options, Execution execution) {
    this.config = config;
    this.execution = execution;
    LibTorch.prepareThread(execution.threadsPerOperator());
    try (Scope scope = Scope.open()) {
      layout = new ParameterLayout(config, options.updates().states());
      parameters = Parameters.zeros(layout.size(), layout.embeddingsEnd(), options);
      transformer =
          new Transformer(
              config,
              execution.kernels(),
              BlockViews.of(layout, parameters.compute()),
              NormViews.of(layout, parameters.exact(), layout.embeddingsEnd()),
              options.zLoss());
      tensors = scope.detach();
    }
    this.files = new ParameterFiles(WeightNames.shapes(config), layout::slot, parameters);
    this.memory = SliceMemory.ofAllWeights(config, options, execution, layout);
    this.threads = new SliceThreads(execution.threads(), execution.threadsPerOperator());
    this.updates =
        new ParameterUpdates(parameters, threads, execution.kernels(), options.updates().place());
    this.seed = options.updates().seed();
  }

  /// A learner whose weights are zero: [#initialize] or [#loadWeights] comes next.
  ///
  /// @throws moxin.torch.LibTorchUnavailableException if libtorch cannot be used here
  /// @throws IOException if libtorch's libraries cannot be extracted
  public static TorchLearner create(ModelConfig config, LearnerOptions options, Progress progress)
      throws IOException {
    LibTorch.load(progress).require(options.device());
    return new TorchLearner(config, options, Execution.on(options.device(), options.processors()));
  }

  /// Sets fresh weights and forgets the optimizer's state.
  public void initialize(WeightInitializer initializer) {
    files.forEachName(name -> files.set(name, initializer.weights(config, name)));
    parameters.refreshCompute();
    forgetSteps();
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public double accumulate(Batch batch, double scale) {
    SliceBatch.requireIds(batch, config.vocabSize());
    norm = Double.NaN;
    List<SliceBatch> slices = SliceBatch.slices(batch, execution.slices(), config.slidingWindow());
    List<SliceGradient> gradients = memory.gradients(slices);
    double[] losses = new double[slices.size()];
    threads.run(
        slices.size(),
        (i, worker) -> {
          Workspace workspace = memory.workspace(worker, slices.get(i));
          losses[i] = transformer.learn(slices.get(i), workspace, gradients.get(i), scale);
        });
    addGradients(slices, gradients);
    return sum(losses);
  }

  @Override
  public double evaluate(Batch batch) {
    SliceBatch.requireIds(batch, config.vocabSize());
    List<SliceBatch> slices = SliceBatch.slices(batch, execution.slices(), config.slidingWindow());
    double[] losses = new double[slices.size()];
    threads.run(
        slices.size(),
        (i, worker) ->
            losses[i] = transformer.loss(slices.get(i), memory.workspace(worker, slices.get(i))));
    return sum(losses);
  }

  @Override
  public double gradientNorm() {
    if (Double.isNaN(norm)) {
      double[] squares =
          GradientPieces.squaredNorms(
              threads, execution.kernels(), parameters.gradient(), layout.buckets());
      norm = Math.sqrt(sum(squares));
    }
    return norm;
  }

  @Override
  public void step(AdamW adamW, double learningRate) {
    AdamWStep step = AdamWStep.of(adamW, learningRate, steps + 1, gradientNorm(), seed);
    double embeddingDecay = adamW.decayEmbeddings() ? adamW.weightDecay() : 0;
    double normDecay = adamW.decayNorms() ? adamW.weightDecay() : 0;
    updates.step(step, adamW.weightDecay(), 0, layout.matricesEnd());
    updates.step(step, embeddingDecay, layout.matricesEnd(), layout.embeddingsEnd());
    updates.step(step, normDecay, layout.embeddingsEnd(), layout.size());
    steps++;
    norm = Double.NaN;
  }

  @Override
  public void discardGradients() {
    Aten.zero(parameters.gradient());
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
    WeightNames.requireComplete(checkpoint, config);
    files.loadWeights(checkpoint);
    parameters.refreshCompute();
  }

  @Override
  public void loadOptimizerState(Checkpoint checkpoint) {
    steps = files.loadOptimizerState(checkpoint);
  }

  /// The gradient of weight `name` accumulated so far, row by row.
  public float[] gradient(String name) {
    return files.values(parameters.gradient(), name);
  }

  @Override
  public void close() {
    threads.close();
    memory.close();
    files.close();
    tensors.forEach(Tensor::close);
  }

  private void forgetSteps() {
    parameters.forgetSteps();
    norm = Double.NaN;
    steps = 0;
  }

  /// Adds the slices' gradients in their order.
  private void addGradients(List<SliceBatch> slices, List<SliceGradient> gradients) {
    long end = layout.embeddingsEnd();
    List<long[]> chunks = ParameterUpdates.chunks(0, end);
    threads.run(
        chunks.size() + 1,
        (i, _) -> {
          for (SliceGradient gradient : gradients) {
            if (i < chunks.size()) {
              updates.add(chunks.get(i), gradient.matrices(), chunks.get(i)[0]);
            } else {
              updates.add(new long[] {end, layout.size()}, gradient.norms(), 0);
            }
          }
        });
    threads.run(threads.threads(), (part, _) -> addEmbedded(slices, gradients, part));
  }

  private void addEmbedded(List<SliceBatch> slices, List<SliceGradient> gradients, int part) {
    try (Scope _ = Scope.open()) {
      ParameterLayout.Slot slot = layout.embedding();
      Tensor target = parameters.gradient().view(slot.offset(), slot.rows(), slot.columns());
      for (int i = 0; i < slices.size(); i++) {
        SliceBatch slice = slices.get(i);
        Tensor dx = gradients.get(i).embedded().view(0, slice.positions(), slot.columns());
        execution.kernels().embedBackward(dx, slice.ids(), target, part, threads.threads());
      }
    }
  }

  private static double sum(double[] parts) {
    double sum = 0;
    for (double part : parts) {
      sum += part;
    }
    return sum;
  }
}
