package moxin.infer;

import java.util.Arrays;
import java.util.List;
import moxin.model.ModelConfig;

/// One pass of several sequences' tokens through all blocks. Buffers are `(tokens, stride)`.
///
/// Whatever is summed is summed in an order that depends on the model and the position alone, never
/// on the other tokens of the pass or on threads.
final class Forward {
  private static final int SMALL_PRODUCT = 100_000;

  private final ModelConfig config;
  private final CpuWeights weights;
  private final Kernels kernels;
  private final Workers workers;

  /// A token with its place.
  record Item(KvCache cache, int position, int token) {}

  /// Sees the hidden states between blocks: 0 is the embedding, n what block n − 1 gives.
  @FunctionalInterface
  interface Observer {
    void observe(int layer, float[] hidden, int stride);
  }

  Forward(ModelConfig config, CpuWeights weights, Kernels kernels, Workers workers) {
    this.config = config;
    this.weights = weights;
    this.kernels = kernels;
    this.workers = workers;
  }

  /// Runs `items`, whose caches take their keys and values, and returns the hidden states after the
  /// final norm, `(items, hiddenStride)`.
  float[] run(List<Item> items, Observer observer) {
    int tokens = items.size();
    int stride = hiddenStride();
    float[] hidden = new float[tokens * stride];
    for (int n = 0; n < tokens; n++) {
      weights.embedding().copyRow(items.get(n).token(), hidden, n * stride);
    }
    float[] normed = new float[tokens * stride];
    Rotation rotation = Rotation.of(items, config);
    for (int layer = 0; layer < weights.layers().size(); layer++) {
      observer.observe(layer, hidden, stride);
      CpuWeights.Layer block = weights.layers().get(layer);
      normalise(hidden, block.attentionNorm(), normed, tokens);
      add(hidden, attention(layer, block, items, rotation, normed));
      normalise(hidden, block.feedForwardNorm(), normed, tokens);
      add(hidden, feedForward(block, normed, tokens));
    }
    observer.observe(weights.layers().size(), hidden, stride);
    normalise(hidden, weights.finalNorm(), normed, tokens);
    return normed;
  }

  int hiddenStride() {
    return pad(config.hiddenSize());
  }

  /// The logits of `rows` rows of normed hidden states, `(rows, V)`.
  float[] logits(float[] normed, int rows) {
    int vocabulary = config.vocabSize();
    float[] padded = multiply(weights.output(), normed, hiddenStride(), rows);
    int stride = pad(vocabulary);
    if (stride == vocabulary) {
      return padded;
    }
    float[] logits = new float[Math.multiplyExact(rows, vocabulary)];
    for (int n = 0; n < rows; n++) {
      System.arraycopy(padded, n * stride, logits, n * vocabulary, vocabulary);
    }
    return logits;
  }

  private float[] attention(
      int layer, CpuWeights.Layer block, List<Item> items, Rotation rotation, float[] normed) {
    int tokens = items.size();
    float[] queries = multiply(block.query(), normed, hiddenStride(), tokens);
    float[] keys = multiply(block.key(), normed, hiddenStride(), tokens);
    float[] values = multiply(block.value(), normed, hiddenStride(), tokens);
    int queryStride = block.query().paddedRows();
    int keyStride = block.key().paddedRows();
    for (int n = 0; n < tokens; n++) {
      rotation.apply(n, queries, n * queryStride, config.numAttentionHeads());
      rotation.apply(n, keys, n * keyStride, config.numKeyValueHeads());
      Item item = items.get(n);
      item.cache().put(layer, item.position(), keys, n * keyStride, values, n * keyStride);
    }
    float[] mixed = new float[tokens * queryStride];
    int heads = config.numAttentionHeads();
    loop(
        tokens * heads,
        4L * config.headDim() * visible(items),
        index ->
            attend(
                layer,
                items.get(index / heads),
                index % heads,
                queries,
                mixed,
                index / heads * queryStride + index % heads * config.headDim()));
    return multiply(block.attentionOutput(), mixed, queryStride, tokens);
  }

  private static long visible(List<Item> items) {
    Item last = items.getLast();
    return last.position() - (long) last.cache().firstVisible(last.position()) + 1;
  }

  /// Softmax attention of one head of one query over the positions it sees, in ascending order.
  private void attend(int layer, Item item, int head, float[] queries, float[] mixed, int at) {
    int depth = config.headDim();
    int group = head / (config.numAttentionHeads() / config.numKeyValueHeads());
    KvCache cache = item.cache();
    int first = cache.firstVisible(item.position());
    float[] scores = scores(layer, item, group, first, queries, at);
    int count = item.position() - first + 1;
    float scale = (float) (1 / Math.sqrt(depth));
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < count; j++) {
      max = Math.max(max, scores[j]);
    }
    double sum = 0;
    int width = config.numKeyValueHeads() * depth;
    for (int j = 0; j < count; j++) {
      float weight = (float) Math.exp((scores[j] - max) * scale);
      sum += weight;
      int slot = cache.slot(first + j);
      float[] values = cache.valueBlock(layer, slot / Kernels.TILE);
      int valuesAt = slot % Kernels.TILE * width + group * depth;
      kernels.addScaled(weight, values, valuesAt, mixed, at, depth);
    }
    float inverse = (float) (1 / sum);
    for (int d = 0; d < depth; d++) {
      mixed[at + d] *= inverse;
    }
  }

  private float[] scores(int layer, Item item, int group, int first, float[] queries, int queryAt) {
    int depth = config.headDim();
    float[] scores = new float[item.position() - first + 1];
    float[] block = new float[Kernels.TILE];
    int at = first;
    while (at <= item.position()) {
      int slot = item.cache().slot(at);
      int offset = slot % Kernels.TILE;
      int count = Math.min(Kernels.TILE - offset, item.position() - at + 1);
      float[] keys = item.cache().keyBlock(layer, slot / Kernels.TILE);
      kernels.scores(keys, group * depth * Kernels.TILE, queries, queryAt, depth, block, 0);
      System.arraycopy(block, offset, scores, at - first, count);
      at += count;
    }
    return scores;
  }

  private float[] feedForward(CpuWeights.Layer block, float[] normed, int tokens) {
    float[] gate = multiply(block.gate(), normed, hiddenStride(), tokens);
    float[] up = multiply(block.up(), normed, hiddenStride(), tokens);
    int stride = block.gate().paddedRows();
    loop(
        tokens,
        20L * stride,
        n -> {
          for (int i = n * stride; i < (n + 1) * stride; i++) {
            float g = gate[i];
            gate[i] = (float) (g / (1 + Math.exp(-g))) * up[i];
          }
        });
    return multiply(block.down(), gate, stride, tokens);
  }

  private void normalise(float[] hidden, float[] scale, float[] normed, int tokens) {
    int stride = hiddenStride();
    int width = config.hiddenSize();
    loop(
        tokens,
        4L * width,
        n -> {
          double sum = 0;
          for (int i = 0; i < width; i++) {
            double h = hidden[n * stride + i];
            sum += h * h;
          }
          float factor = (float) (1 / Math.sqrt(sum / width + config.rmsNormEps()));
          for (int i = 0; i < width; i++) {
            normed[n * stride + i] = hidden[n * stride + i] * factor * scale[i];
          }
        });
  }

  private static void add(float[] hidden, float[] update) {
    for (int i = 0; i < hidden.length; i++) {
      hidden[i] += update[i];
    }
  }

  private float[] multiply(PackedMatrix matrix, float[] x, int xStride, int tokens) {
    int stride = matrix.paddedRows();
    float[] y = new float[Math.multiplyExact(tokens, stride)];
    loop(
        matrix.tiles(),
        (long) Kernels.TILE * matrix.columns() * tokens,
        tile -> kernels.multiplyTile(matrix, tile, x, xStride, tokens, y, stride));
    return y;
  }

  private void loop(int count, long costEach, java.util.function.IntConsumer body) {
    if (count * costEach < SMALL_PRODUCT) {
      for (int i = 0; i < count; i++) {
        body.accept(i);
      }
    } else {
      workers.forEach(count, body);
    }
  }

  static int pad(int rows) {
    return (rows + Kernels.TILE - 1) / Kernels.TILE * Kernels.TILE;
  }

  /// Cosines and sines of the positions of a pass, `(tokens, D/2)`; Su et al., RoFormer, in the
  /// half-split order of Hugging Face.
  private record Rotation(int depth, float[] cosines, float[] sines) {

    static Rotation of(List<Item> items, ModelConfig config) {
      int half = config.headDim() / 2;
      double[] frequencies = new double[half];
      Arrays.setAll(frequencies, i -> Math.pow(config.ropeTheta(), -2.0 * i / config.headDim()));
      float[] cosines = new float[items.size() * half];
      float[] sines = new float[items.size() * half];
      for (int n = 0; n < items.size(); n++) {
        for (int i = 0; i < half; i++) {
          double angle = items.get(n).position() * frequencies[i];
          cosines[n * half + i] = (float) Math.cos(angle);
          sines[n * half + i] = (float) Math.sin(angle);
        }
      }
      return new Rotation(config.headDim(), cosines, sines);
    }

    void apply(int token, float[] vectors, int at, int heads) {
      int half = depth / 2;
      for (int start = at; start < at + heads * depth; start += depth) {
        for (int i = 0; i < half; i++) {
          float cosine = cosines[token * half + i];
          float sine = sines[token * half + i];
          float low = vectors[start + i];
          float high = vectors[start + half + i];
          vectors[start + i] = low * cosine - high * sine;
          vectors[start + half + i] = high * cosine + low * sine;
        }
      }
    }
  }
}
