package moxin.train.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import moxin.collective.Communicator;
import moxin.model.ModelConfig;
import moxin.torch.Aten;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.JobSignal;
import moxin.train.ZeroStage;

/// One process's share of a learner that several are. Every method is collective: all processes
/// call the same with the same arguments, and get the same results.
///
/// A batch is cut into as many slices as [TorchLearner] cuts it into, or as there are processes if
/// those are more; the processes take slices in turn, round by round, and sums are made in the
/// order of the slices. With as many slices, losses, norms and weights have the bits of
/// [TorchLearner], at every [ZeroStage]. The slices of a process pass one after the other.
final class ShardedLearner implements AutoCloseable {
  private static final long CHUNK = 1 << 18;

  /// Where a length that processes tell each other has the number of a signal.
  private static final int SIGNAL_SHIFT = 48;

  private final ModelConfig config;
  private final Execution execution;
  private final Communicator communicator;
  private final JobSignal signal;
  private final int processors;
  private final RankLink link;
  private final SliceThreads threads;
  private final ShardedParameters parameters;
  private final ShardGradients gradients;
  private final ShardExchange exchange;
  private final ShardPass pass;
  private final EmbeddingRows embeddingRows;
  private final Transformer transformer;
  private final SliceMemory<SliceGradient> memory;
  private final List<Tensor> tensors;
  private final long seed;
  private long steps;
  private double norm = Double.NaN;

  /// A learner whose weights are zero. Borrows the communicator; tells the others of `signal`, and
  /// raises it when they tell of one.
  ShardedLearner(
      ModelConfig config,
      LearnerOptions options,
      Execution execution,
      ZeroStage stage,
      Communicator communicator,
      JobSignal signal) {
    if (!options.device().isHost()) {
      throw new IllegalArgumentException(
          "several processes train on CPUs, not " + options.device());
    }
    this.config = config;
    this.execution = execution;
    this.communicator = communicator;
    this.signal = signal;
    this.processors = options.processors();
    this.seed = options.updates().seed();
    LibTorch.prepareThread(processors);
    ParameterLayout layout = new ParameterLayout(config, options.updates().states());
    try (Scope scope = Scope.open()) {
      ShardLayout shards = new ShardLayout(layout, communicator.size());
      parameters = new ShardedParameters(layout, shards, communicator.rank(), stage, options);
      transformer =
          new Transformer(
              config,
              execution.kernels(),
              parameters.blocks(),
              parameters.normViews(),
              options.zLoss());
      tensors = scope.detach();
    }
    gradients = new ShardGradients(layout, config.hiddenSize(), options.computeType(), stage);
    memory = SliceMemory.ofAllWeights(config, options, execution, layout);
    link = new RankLink(communicator);
    threads = new SliceThreads(options.processors(), 1);
    exchange = new ShardExchange(communicator, parameters);
    pass = new ShardPass(link, exchange, parameters);
    embeddingRows =
        new EmbeddingRows(communicator, parameters, execution.kernels(), config.hiddenSize());
  }

  /// Where the files of a checkpoint come from and go to.
  ShardFiles files() {
    return new ShardFiles(config, communicator, link, exchange, parameters);
  }

  /// As [moxin.train.Learner#accumulate].
  double accumulate(Batch batch, double scale) {
    SliceBatch.requireIds(batch, config.vocabSize());
    LibTorch.prepareThread(processors);
    norm = Double.NaN;
    int[] rows = sliceRows(batch);
    int slices = rows.length - 1;
    int rounds = Math.ceilDiv(slices, communicator.size());
    gradients.reserve(rounds, (long) longest(rows) * batch.length());
    double[] losses = new double[slices];
    for (int round = 0; round < rounds; round++) {
      int index = round * communicator.size() + communicator.rank();
      pass.begin(gradients, contributors(slices, round));
      if (index < slices) {
        SliceBatch slice = slice(batch, rows, index);
        SliceGradient gradient = gradients.of(round);
        losses[index] = transformer.learn(slice, memory.workspace(0, slice), gradient, scale, pass);
      } else {
        pass.walk(parameters.layers());
      }
      pass.finish();
    }
    link.run(() -> addEmbedded(batch, rows, rounds));
    return total(losses);
  }

  /// As [moxin.train.Learner#evaluate].
  double evaluate(Batch batch) {
    SliceBatch.requireIds(batch, config.vocabSize());
    LibTorch.prepareThread(processors);
    int[] rows = sliceRows(batch);
    int slices = rows.length - 1;
    double[] losses = new double[slices];
    for (int first = 0; first < slices; first += communicator.size()) {
      int index = first + communicator.rank();
      if (index < slices) {
        SliceBatch slice = slice(batch, rows, index);
        losses[index] = transformer.loss(slice, memory.workspace(0, slice), Adapters.NONE, pass);
      } else {
        pass.walkForward(parameters.layers());
      }
    }
    return total(losses);
  }

  /// As [moxin.train.Learner#gradientNorm].
  double gradientNorm() {
    if (Double.isNaN(norm)) {
      double[] own =
          GradientPieces.squaredNormsOf(
              threads, execution.kernels(), parameters.gradient(), parameters.owned());
      norm = Math.sqrt(sumOfPieces(gathered(own)));
    }
    return norm;
  }

  /// As [moxin.train.Learner#step].
  void step(AdamW adamW, double learningRate) {
    AdamWStep step = AdamWStep.of(adamW, learningRate, steps + 1, gradientNorm(), seed);
    if (!parameters.divided()) {
      link.run(() -> forEachBucket(exchange::gatherGradient));
    }
    for (ShardLayout.Part part : parameters.updated()) {
      double decay =
          switch (part.bucket().group()) {
            case MATRICES -> adamW.weightDecay();
            case EMBEDDINGS -> adamW.decayEmbeddings() ? adamW.weightDecay() : 0;
            case NORMS -> adamW.decayNorms() ? adamW.weightDecay() : 0;
          };
      update(step, decay, part);
    }
    steps++;
    norm = Double.NaN;
    publish();
  }

  /// As [moxin.train.Learner#discardGradients].
  void discardGradients() {
    Aten.zero(parameters.gradient());
    norm = Double.NaN;
  }

  /// How many updates the optimizer's state comes from.
  long steps() {
    return steps;
  }

  /// Sets [#steps] after a state was loaded.
  void setSteps(long count) {
    steps = count;
  }

  /// Makes fp32 weights that have been set those that everybody computes with.
  void weightsChanged() {
    parameters.refreshCompute();
    publish();
  }

  @Override
  public void close() {
    threads.close();
    link.close();
    memory.close();
    gradients.close();
    exchange.close();
    tensors.forEach(Tensor::close);
  }

  private void publish() {
    pass.forgetWeights();
    if (parameters.divided()) {
      int first = parameters.stage() == ZeroStage.WEIGHTS ? parameters.layers() : 0;
      link.run(
          () -> {
            for (int i = first; i <= parameters.norms(); i++) {
              exchange.gather(i);
            }
          });
    }
  }

  private void forEachBucket(java.util.function.IntConsumer action) {
    for (int i = 0; i <= parameters.norms(); i++) {
      action.accept(i);
    }
  }

  private void update(AdamWStep step, double decay, ShardLayout.Part part) {
    int chunks = Math.toIntExact(Math.ceilDiv(part.elements(), CHUNK));
    threads.run(
        chunks,
        (i, _) -> {
          try (Scope _ = Scope.open()) {
            long from = i * CHUNK;
            long count = Math.min(CHUNK, part.elements() - from);
            ParameterRange range = parameters.range(part.at() + from, count, part.from() + from);
            execution.kernels().adamW(step, decay, range);
          }
        });
  }

  /// Where slices begin, in rows; the number of rows last.
  private int[] sliceRows(Batch batch) {
    int ranks = communicator.size();
    int wanted = Math.max(execution.slices(), ranks);
    int count = Math.min(wanted, batch.rows());
    int[] rows = new int[count + 1];
    for (int i = 0; i <= count; i++) {
      rows[i] = i * batch.rows() / count;
    }
    return rows;
  }

  private static int longest(int[] rows) {
    int longest = 0;
    for (int i = 1; i < rows.length; i++) {
      longest = Math.max(longest, rows[i] - rows[i - 1]);
    }
    return longest;
  }

  private SliceBatch slice(Batch batch, int[] rows, int index) {
    return SliceBatch.of(batch, rows[index], rows[index + 1] - rows[index], config.slidingWindow());
  }

  private int contributors(int slices, int round) {
    return Math.min(communicator.size(), slices - round * communicator.size());
  }

  private void addEmbedded(Batch batch, int[] rows, int rounds) {
    for (int round = 0; round < rounds; round++) {
      List<int[]> ids = new ArrayList<>();
      int first = round * communicator.size();
      for (int i = first; i < first + contributors(rows.length - 1, round); i++) {
        ids.add(
            Arrays.copyOfRange(
                batch.ids(), rows[i] * batch.length(), rows[i + 1] * batch.length()));
      }
      embeddingRows.add(ids, gradients.embedded(round));
    }
  }

  /// The sum of the losses of all slices in their order; each process knows its own.
  private double total(double[] losses) {
    double[][] all = gathered(losses);
    double sum = 0;
    for (int i = 0; i < losses.length; i++) {
      sum += all[i % all.length][i];
    }
    return sum;
  }

  /// The sum of all pieces in the order of the parameters.
  private double sumOfPieces(double[][] ofRanks) {
    int[] at = new int[ofRanks.length];
    double sum = 0;
    for (int bucket = 0; bucket <= parameters.norms(); bucket++) {
      for (int rank = 0; rank < ofRanks.length; rank++) {
        int count = parameters.shards().pieces(bucket, rank);
        for (int i = 0; i < count; i++) {
          sum += ofRanks[rank][at[rank]++];
        }
      }
    }
    return sum;
  }

  /// The numbers of every process, which may have different counts of them. With the counts the
  /// processes tell each other of signals.
  private double[][] gathered(double[] own) {
    double[][] all = new double[communicator.size()][];
    long[] counts = new long[all.length];
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> lengths = new ArrayList<>();
      for (int i = 0; i < all.length; i++) {
        lengths.add(arena.allocate(8, 8));
      }
      MemorySegment length = arena.allocate(8, 8);
      length.set(ValueLayout.JAVA_LONG, 0, own.length | ((long) signal.number() << SIGNAL_SHIFT));
      link.run(() -> communicator.allGather(length, lengths));
      List<MemorySegment> values = new ArrayList<>();
      for (int i = 0; i < all.length; i++) {
        long told = lengths.get(i).get(ValueLayout.JAVA_LONG, 0);
        counts[i] = told & ((1L << SIGNAL_SHIFT) - 1);
        if (told >>> SIGNAL_SHIFT != 0) {
          signal.raise((int) (told >>> SIGNAL_SHIFT));
        }
        values.add(arena.allocate(8 * counts[i], 8));
      }
      MemorySegment mine = arena.allocate(8L * own.length, 8);
      MemorySegment.copy(own, 0, mine, ValueLayout.JAVA_DOUBLE, 0, own.length);
      link.run(() -> communicator.allGather(mine, values));
      for (int i = 0; i < all.length; i++) {
        all[i] = values.get(i).toArray(ValueLayout.JAVA_DOUBLE);
      }
      return all;
    }
  }
}
