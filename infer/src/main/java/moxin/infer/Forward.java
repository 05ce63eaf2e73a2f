package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.model.ModelConfig;

/// One pass of several sequences' tokens through all blocks. Buffers are `(tokens, stride)` in
/// native memory that is used again by the next pass; for one thread at a time.
///
/// Whatever is summed is summed in an order that depends on the model and the position alone, never
/// on the other tokens of the pass or on threads.
final class Forward implements AutoCloseable {
  private static final int SMALL_LOOP = 40_000;

  private final ModelConfig config;
  private final CpuWeights weights;
  private final BlockKernels kernels;
  private final Workers workers;
  private final Products products;
  private final Attention attention;
  private final Rotation rotation;
  private final PassBuffers buffers;

  /// Sees the hidden states between blocks: 0 is the embedding, n what block n − 1 gives.
  @FunctionalInterface
  interface Observer {
    void observe(int layer, float[] hidden, int stride);
  }

  Forward(
      ModelConfig config,
      CpuWeights weights,
      MatrixKernels matrices,
      BlockKernels kernels,
      Workers workers) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.workers = workers;
    this.products = new Products(matrices, workers);
    this.attention = new Attention(config, kernels, workers);
    this.rotation = new Rotation(config);
    this.buffers = new PassBuffers(config);
  }

  /// Runs the tokens of `shares`, whose caches take their keys and values, and returns the hidden
  /// states after the final norm, `(tokens, hiddenStride)`, valid until the next pass.
  ///
  /// @param observers none, or one that sees copies of the hidden states
  MemorySegment run(List<Share> shares, List<Observer> observers) {
    int tokens = shares.stream().mapToInt(Share::count).sum();
    buffers.reserve(tokens);
    shares.forEach(share -> share.cache().reserve(share.count()));
    embed(shares);
    rotation.prepare(shares, buffers);
    List<Attention.Unit> units = attention.plan(shares);
    for (int layer = 0; layer < weights.layers().size(); layer++) {
      observe(observers, layer, tokens);
      CpuWeights.Layer block = weights.layers().get(layer);
      normalise(block.attentionNorm(), tokens);
      attend(layer, block, shares, units, tokens);
      normalise(block.feedForwardNorm(), tokens);
      feedForward(block, tokens);
    }
    observe(observers, weights.layers().size(), tokens);
    normalise(weights.finalNorm(), tokens);
    return buffers.normed();
  }

  int hiddenStride() {
    return buffers.hiddenStride();
  }

  /// The logits of `rows` rows of normed hidden states, which are copied to the pass's buffers.
  /// Writes `(rows, V)` to `target` from `at` on.
  void logits(float[] normed, int from, int rows, float[] target, int at) {
    int vocabulary = config.vocabSize();
    int stride = weights.output().paddedRows();
    buffers.reserve(rows);
    MemorySegment out = buffers.logits(rows, stride);
    MemorySegment.copy(normed, from, buffers.normed(), PassBuffers.FLOAT, 0, rows * hiddenStride());
    products.multiply(
        buffers.normed(),
        hiddenStride(),
        rows,
        List.of(new Products.Product(weights.output(), out)));
    for (int n = 0; n < rows; n++) {
      MemorySegment.copy(
          out,
          PassBuffers.FLOAT,
          (long) n * stride * Float.BYTES,
          target,
          at + n * vocabulary,
          vocabulary);
    }
  }

  private void embed(List<Share> shares) {
    for (Share share : shares) {
      for (int i = 0; i < share.count(); i++) {
        weights
            .embedding()
            .copyRow(
                share.tokens()[share.from() + i],
                buffers.hidden(),
                (long) (share.row() + i) * hiddenStride());
      }
    }
  }

  private void observe(List<Observer> observers, int layer, int tokens) {
    for (Observer observer : observers) {
      MemorySegment hidden = buffers.hidden().asSlice(0, 4L * tokens * hiddenStride());
      observer.observe(layer, hidden.toArray(PassBuffers.FLOAT), hiddenStride());
    }
  }

  private void attend(
      int layer,
      CpuWeights.Layer block,
      List<Share> shares,
      List<Attention.Unit> units,
      int tokens) {
    products.multiply(
        buffers.normed(),
        hiddenStride(),
        tokens,
        List.of(
            new Products.Product(block.query(), buffers.queries()),
            new Products.Product(block.key(), buffers.keys()),
            new Products.Product(block.value(), buffers.values())));
    int queryStride = block.query().paddedRows();
    int keyStride = block.key().paddedRows();
    for (Share share : shares) {
      loop(
          share.count(),
          4 * (queryStride + 2 * keyStride),
          n -> {
            long row = share.row() + (long) n;
            rotation.apply(
                kernels, row, buffers.queries(), row * queryStride, config.numAttentionHeads());
            rotation.apply(
                kernels, row, buffers.keys(), row * keyStride, config.numKeyValueHeads());
            share
                .cache()
                .put(
                    layer,
                    share.position() + n,
                    cached(buffers.keys(), row * keyStride),
                    cached(buffers.values(), row * keyStride));
          });
    }
    attention.run(layer, units, buffers.queries(), buffers.mixed(), queryStride);
    multiplyAdding(block.attentionOutput(), buffers.mixed(), queryStride, tokens);
  }

  /// Keys or values of one token, `(G, D)`, from float `at` on.
  private float[] cached(MemorySegment rows, long at) {
    long count = (long) config.numKeyValueHeads() * config.headDim();
    return rows.asSlice(at * Float.BYTES, count * Float.BYTES).toArray(PassBuffers.FLOAT);
  }

  private void feedForward(CpuWeights.Layer block, int tokens) {
    products.multiply(
        buffers.normed(),
        hiddenStride(),
        tokens,
        List.of(
            new Products.Product(block.gate(), buffers.gate()),
            new Products.Product(block.up(), buffers.up())));
    int stride = block.gate().paddedRows();
    loop(
        tokens,
        4 * stride,
        n ->
            kernels.gate(
                buffers.gate(), (long) n * stride, buffers.up(), (long) n * stride, stride));
    multiplyAdding(block.down(), buffers.gate(), stride, tokens);
  }

  /// `hidden += x · matrix`.
  private void multiplyAdding(PackedMatrix matrix, MemorySegment x, int xStride, int tokens) {
    products.multiply(x, xStride, tokens, List.of(new Products.Product(matrix, buffers.update())));
    int stride = hiddenStride();
    loop(
        tokens,
        stride,
        n ->
            kernels.add(
                buffers.update(), (long) n * stride, buffers.hidden(), (long) n * stride, stride));
  }

  private void normalise(MemorySegment scale, int tokens) {
    int stride = hiddenStride();
    loop(
        tokens,
        2 * stride,
        n ->
            kernels.normalise(
                buffers.hidden(),
                (long) n * stride,
                scale,
                config.hiddenSize(),
                config.rmsNormEps(),
                buffers.normed(),
                (long) n * stride));
  }

  private void loop(int count, int costEach, java.util.function.IntConsumer body) {
    if ((long) count * costEach < SMALL_LOOP) {
      for (int i = 0; i < count; i++) {
        body.accept(i);
      }
    } else {
      workers.forEach(count, (index, _) -> body.accept(index));
    }
  }

  @Override
  public void close() {
    products.close();
    buffers.close();
  }
}
