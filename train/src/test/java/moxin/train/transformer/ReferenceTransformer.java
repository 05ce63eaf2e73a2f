package moxin.train.transformer;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import moxin.model.Checkpoint;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.train.AdamW;
import moxin.train.Batch;

/// The transformer in plain Java and float64, written for clarity and sharing nothing with what it
/// checks: forward, backward and AdamW.
final class ReferenceTransformer {
  private final ModelConfig config;
  private final Map<String, double[]> weights = new LinkedHashMap<>();
  private final Map<String, double[]> gradients = new LinkedHashMap<>();
  private final Map<String, double[]> first = new HashMap<>();
  private final Map<String, double[]> second = new HashMap<>();
  private int steps;

  ReferenceTransformer(ModelConfig config, Checkpoint checkpoint) {
    this.config = config;
    for (String name : WeightNames.shapes(config).keySet()) {
      float[] values = Precision.widen(checkpoint.tensor(name));
      double[] wide = new double[values.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = values[i];
      }
      weights.put(name, wide);
      gradients.put(name, new double[wide.length]);
      first.put(name, new double[wide.length]);
      second.put(name, new double[wide.length]);
    }
  }

  /// What one block remembers of a row.
  private static final class Memory {
    double[] x = {};
    double[] normed = {};
    double[] queries = {};
    double[] keys = {};
    double[] values = {};
    double[] probabilities = {};
    double[] attended = {};
    double[] middle = {};
    double[] middleNormed = {};
    double[] gate = {};
    double[] up = {};
    double[] activated = {};
  }

  double loss(Batch batch) {
    double loss = 0;
    for (int row = 0; row < batch.rows(); row++) {
      loss += row(batch, row, 0, false);
    }
    return loss;
  }

  /// Σ loss; adds the gradients of `scale` times it.
  double accumulate(Batch batch, double scale) {
    double loss = 0;
    for (int row = 0; row < batch.rows(); row++) {
      loss += row(batch, row, scale, true);
    }
    return loss;
  }

  /// The weight `name` itself, which may be written.
  double[] weight(String name) {
    return at(weights, name);
  }

  double[] gradient(String name) {
    return at(gradients, name);
  }

  double gradientNorm() {
    double sum = 0;
    for (double[] gradient : gradients.values()) {
      for (double g : gradient) {
        sum += g * g;
      }
    }
    return Math.sqrt(sum);
  }

  void step(AdamW adamW, double learningRate) {
    steps++;
    double norm = gradientNorm();
    double clip = Math.min(1, adamW.gradientClip() / norm);
    for (String name : weights.keySet()) {
      double decay = decay(adamW, name);
      double[] w = at(weights, name);
      double[] g = at(gradients, name);
      double[] m = at(first, name);
      double[] v = at(second, name);
      for (int i = 0; i < w.length; i++) {
        double gi = g[i] * clip;
        m[i] = adamW.beta1() * m[i] + (1 - adamW.beta1()) * gi;
        v[i] = adamW.beta2() * v[i] + (1 - adamW.beta2()) * gi * gi;
        double mHat = m[i] / (1 - Math.pow(adamW.beta1(), steps));
        double vHat = v[i] / (1 - Math.pow(adamW.beta2(), steps));
        w[i] -= learningRate * (mHat / (Math.sqrt(vHat) + adamW.epsilon()) + decay * w[i]);
      }
      Arrays.fill(g, 0);
    }
  }

  private static double decay(AdamW adamW, String name) {
    if (name.endsWith("norm.weight")) {
      return adamW.decayNorms() ? adamW.weightDecay() : 0;
    }
    boolean embedding = name.equals(WeightNames.EMBEDDING) || name.equals(WeightNames.LM_HEAD);
    return !embedding || adamW.decayEmbeddings() ? adamW.weightDecay() : 0;
  }

  private double row(Batch batch, int row, double scale, boolean learns) {
    int length = batch.length();
    int hidden = config.hiddenSize();
    int[] ids = Arrays.copyOfRange(batch.ids(), row * length, (row + 1) * length);
    int[] first = VisibleRange.of(batch, row, 1, config.slidingWindow()).first();
    double[] x = new double[length * hidden];
    double[] embedding = at(weights, WeightNames.EMBEDDING);
    for (int t = 0; t < length; t++) {
      System.arraycopy(embedding, ids[t] * hidden, x, t * hidden, hidden);
    }
    Memory[] memories = new Memory[config.numHiddenLayers()];
    for (int layer = 0; layer < memories.length; layer++) {
      memories[layer] = new Memory();
      x = block(layer, x, first, memories[layer]);
    }
    double[] normed = norm(x, at(weights, WeightNames.FINAL_NORM));
    String head = WeightNames.outputProjection(config);
    double[] logits = product(normed, at(weights, head), hidden, config.vocabSize());
    double loss = crossEntropy(logits, batch, row, scale);
    if (!learns) {
      return loss;
    }
    double[] dNormed = productBackward(logits, normed, head, hidden, config.vocabSize());
    double[] dx = new double[x.length];
    normBackward(dNormed, x, WeightNames.FINAL_NORM, dx);
    for (int layer = memories.length - 1; layer >= 0; layer--) {
      blockBackward(layer, dx, first, memories[layer]);
    }
    double[] dEmbedding = at(gradients, WeightNames.EMBEDDING);
    for (int t = 0; t < length; t++) {
      for (int i = 0; i < hidden; i++) {
        dEmbedding[ids[t] * hidden + i] += dx[t * hidden + i];
      }
    }
    return loss;
  }

  private double crossEntropy(double[] logits, Batch batch, int row, double scale) {
    int vocabulary = config.vocabSize();
    double loss = 0;
    for (int t = 0; t < batch.length(); t++) {
      int target = batch.targets()[row * batch.length() + t];
      double max = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < vocabulary; i++) {
        max = Math.max(max, logits[t * vocabulary + i]);
      }
      double sum = 0;
      for (int i = 0; i < vocabulary; i++) {
        sum += Math.exp(logits[t * vocabulary + i] - max);
      }
      boolean counts = target != Batch.IGNORED;
      loss += counts ? Math.log(sum) + max - logits[t * vocabulary + target] : 0;
      for (int i = 0; i < vocabulary; i++) {
        double p = Math.exp(logits[t * vocabulary + i] - max) / sum;
        logits[t * vocabulary + i] = counts ? scale * (p - (i == target ? 1 : 0)) : 0;
      }
    }
    return loss;
  }

  private double[] block(int layer, double[] x, int[] first, Memory memory) {
    int hidden = config.hiddenSize();
    int queries = config.numAttentionHeads() * config.headDim();
    int keys = config.numKeyValueHeads() * config.headDim();
    int width = config.intermediateSize();
    memory.x = x;
    memory.normed = norm(x, weight(layer, LayerWeight.ATTENTION_NORM));
    memory.queries = product(memory.normed, weight(layer, LayerWeight.QUERY), hidden, queries);
    memory.keys = product(memory.normed, weight(layer, LayerWeight.KEY), hidden, keys);
    memory.values = product(memory.normed, weight(layer, LayerWeight.VALUE), hidden, keys);
    rotate(memory.queries, queries, 1);
    rotate(memory.keys, keys, 1);
    attend(memory, first);
    memory.middle =
        add(
            x,
            product(memory.attended, weight(layer, LayerWeight.ATTENTION_OUTPUT), queries, hidden));
    memory.middleNormed = norm(memory.middle, weight(layer, LayerWeight.FEED_FORWARD_NORM));
    memory.gate = product(memory.middleNormed, weight(layer, LayerWeight.GATE), hidden, width);
    memory.up = product(memory.middleNormed, weight(layer, LayerWeight.UP), hidden, width);
    memory.activated = new double[memory.gate.length];
    for (int i = 0; i < memory.gate.length; i++) {
      memory.activated[i] = memory.gate[i] / (1 + Math.exp(-memory.gate[i])) * memory.up[i];
    }
    return add(
        memory.middle, product(memory.activated, weight(layer, LayerWeight.DOWN), width, hidden));
  }

  /// Turns `dx` from the gradient of the block's result into that of its input.
  private void blockBackward(int layer, double[] dx, int[] first, Memory memory) {
    int hidden = config.hiddenSize();
    int queries = config.numAttentionHeads() * config.headDim();
    int keys = config.numKeyValueHeads() * config.headDim();
    int width = config.intermediateSize();
    double[] dActivated =
        productBackward(dx, memory.activated, LayerWeight.DOWN.name(layer), width, hidden);
    double[] dGate = new double[dActivated.length];
    double[] dUp = new double[dActivated.length];
    for (int i = 0; i < dGate.length; i++) {
      double s = 1 / (1 + Math.exp(-memory.gate[i]));
      dUp[i] = dActivated[i] * memory.gate[i] * s;
      dGate[i] = dActivated[i] * memory.up[i] * (s + memory.gate[i] * s * (1 - s));
    }
    double[] dMiddleNormed =
        add(
            productBackward(
                dGate, memory.middleNormed, LayerWeight.GATE.name(layer), hidden, width),
            productBackward(dUp, memory.middleNormed, LayerWeight.UP.name(layer), hidden, width));
    normBackward(dMiddleNormed, memory.middle, LayerWeight.FEED_FORWARD_NORM.name(layer), dx);
    double[] dAttended =
        productBackward(
            dx, memory.attended, LayerWeight.ATTENTION_OUTPUT.name(layer), queries, hidden);
    double[] dQueries = new double[memory.queries.length];
    double[] dKeys = new double[memory.keys.length];
    double[] dValues = new double[memory.values.length];
    attendBackward(memory, first, dAttended, dQueries, dKeys, dValues);
    rotate(dQueries, queries, -1);
    rotate(dKeys, keys, -1);
    double[] dNormed =
        add(
            productBackward(
                dQueries, memory.normed, LayerWeight.QUERY.name(layer), hidden, queries),
            add(
                productBackward(dKeys, memory.normed, LayerWeight.KEY.name(layer), hidden, keys),
                productBackward(
                    dValues, memory.normed, LayerWeight.VALUE.name(layer), hidden, keys)));
    normBackward(dNormed, memory.x, LayerWeight.ATTENTION_NORM.name(layer), dx);
  }

  private void attend(Memory memory, int[] first) {
    int length = first.length;
    int heads = config.numAttentionHeads();
    int dim = config.headDim();
    int groups = config.numKeyValueHeads();
    memory.probabilities = new double[heads * length * length];
    memory.attended = new double[length * heads * dim];
    for (int head = 0; head < heads; head++) {
      int group = head / (heads / groups);
      for (int t = 0; t < length; t++) {
        int at = (head * length + t) * length;
        double sum = 0;
        for (int key = first[t]; key <= t; key++) {
          double dot = 0;
          for (int i = 0; i < dim; i++) {
            dot +=
                memory.queries[(t * heads + head) * dim + i]
                    * memory.keys[(key * groups + group) * dim + i];
          }
          memory.probabilities[at + key] = Math.exp(dot / Math.sqrt(dim));
          sum += memory.probabilities[at + key];
        }
        for (int key = first[t]; key <= t; key++) {
          memory.probabilities[at + key] /= sum;
          for (int i = 0; i < dim; i++) {
            memory.attended[(t * heads + head) * dim + i] +=
                memory.probabilities[at + key] * memory.values[(key * groups + group) * dim + i];
          }
        }
      }
    }
  }

  private void attendBackward(
      Memory memory,
      int[] first,
      double[] dAttended,
      double[] dQueries,
      double[] dKeys,
      double[] dValues) {
    int length = first.length;
    int heads = config.numAttentionHeads();
    int dim = config.headDim();
    int groups = config.numKeyValueHeads();
    for (int head = 0; head < heads; head++) {
      int group = head / (heads / groups);
      for (int t = 0; t < length; t++) {
        int at = (head * length + t) * length;
        int query = (t * heads + head) * dim;
        double[] dP = new double[length];
        double mean = 0;
        for (int key = first[t]; key <= t; key++) {
          for (int i = 0; i < dim; i++) {
            int value = (key * groups + group) * dim + i;
            dP[key] += dAttended[query + i] * memory.values[value];
            dValues[value] += memory.probabilities[at + key] * dAttended[query + i];
          }
          mean += dP[key] * memory.probabilities[at + key];
        }
        for (int key = first[t]; key <= t; key++) {
          double dScore = memory.probabilities[at + key] * (dP[key] - mean) / Math.sqrt(dim);
          for (int i = 0; i < dim; i++) {
            int k = (key * groups + group) * dim + i;
            dQueries[query + i] += dScore * memory.keys[k];
            dKeys[k] += dScore * memory.queries[query + i];
          }
        }
      }
    }
  }

  private void rotate(double[] x, int width, int sign) {
    int dim = config.headDim();
    for (int at = 0; at < x.length; at += dim) {
      int t = at / width;
      for (int j = 0; j < dim / 2; j++) {
        double angle = sign * t * Math.pow(config.ropeTheta(), -2.0 * j / dim);
        double a = x[at + j];
        double b = x[at + dim / 2 + j];
        x[at + j] = a * Math.cos(angle) - b * Math.sin(angle);
        x[at + dim / 2 + j] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
  }

  private double[] norm(double[] x, double[] weight) {
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += weight.length) {
      double scale = scaleAt(x, at, weight.length);
      for (int i = 0; i < weight.length; i++) {
        y[at + i] = x[at + i] * scale * weight[i];
      }
    }
    return y;
  }

  private void normBackward(double[] dy, double[] x, String name, double[] dx) {
    double[] weight = at(weights, name);
    double[] dWeight = at(gradients, name);
    for (int at = 0; at < x.length; at += weight.length) {
      double scale = scaleAt(x, at, weight.length);
      double mean = 0;
      for (int i = 0; i < weight.length; i++) {
        dWeight[i] += dy[at + i] * x[at + i] * scale;
        mean += dy[at + i] * weight[i] * x[at + i] * scale / weight.length;
      }
      for (int i = 0; i < weight.length; i++) {
        dx[at + i] += scale * (dy[at + i] * weight[i] - mean * x[at + i] * scale);
      }
    }
  }

  private double scaleAt(double[] x, int at, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += x[at + i] * x[at + i];
    }
    return 1 / Math.sqrt(sum / count + config.rmsNormEps());
  }

  private double[] weight(int layer, LayerWeight weight) {
    return at(weights, weight.name(layer));
  }

  private static double[] at(Map<String, double[]> values, String name) {
    return Objects.requireNonNull(values.get(name), name);
  }

  private static double[] product(double[] x, double[] weight, int in, int out) {
    int rows = x.length / in;
    double[] y = new double[rows * out];
    for (int n = 0; n < rows; n++) {
      for (int o = 0; o < out; o++) {
        double sum = 0;
        for (int i = 0; i < in; i++) {
          sum += x[n * in + i] * weight[o * in + i];
        }
        y[n * out + o] = sum;
      }
    }
    return y;
  }

  private double[] productBackward(double[] dy, double[] x, String name, int in, int out) {
    double[] weight = at(weights, name);
    double[] dWeight = at(gradients, name);
    int rows = x.length / in;
    double[] dx = new double[x.length];
    for (int n = 0; n < rows; n++) {
      for (int o = 0; o < out; o++) {
        double g = dy[n * out + o];
        for (int i = 0; i < in; i++) {
          dx[n * in + i] += g * weight[o * in + i];
          dWeight[o * in + i] += g * x[n * in + i];
        }
      }
    }
    return dx;
  }

  private static double[] add(double[] a, double[] b) {
    double[] sum = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      sum[i] = a[i] + b[i];
    }
    return sum;
  }
}
