package moxin.train.run;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.Learner;

/// A bigram model with real gradients and AdamW, in plain Java: each id has its own logits for the
/// next.
class BigramLearner implements Learner {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final ModelConfig config;
  private final int vocab;
  private final float[] weights;
  private final float[] mean;
  private final float[] square;
  private final double[] gradient;
  private int steps;

  BigramLearner(ModelConfig config, DType computeType, long seed) {
    this.config = config;
    this.vocab = config.vocabSize();
    int size = vocab * vocab;
    this.weights = new float[size];
    this.mean = new float[size];
    this.square = new float[size];
    this.gradient = new double[size];
    Random random = new Random(seed + computeType.byteSize());
    for (int i = 0; i < size; i++) {
      weights[i] = (float) random.nextGaussian(0, 0.02);
    }
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public double accumulate(Batch batch, double scale) {
    return visit(batch, scale);
  }

  @Override
  public double evaluate(Batch batch) {
    return visit(batch, 0);
  }

  private double visit(Batch batch, double scale) {
    double sum = 0;
    double[] p = new double[vocab];
    for (int i = 0; i < batch.ids().length; i++) {
      int target = batch.targets()[i];
      if (target == Batch.IGNORED) {
        continue;
      }
      int row = batch.ids()[i] * vocab;
      double z = 0;
      for (int j = 0; j < vocab; j++) {
        p[j] = Math.exp(weights[row + j]);
        z += p[j];
      }
      sum -= Math.log(p[target] / z);
      for (int j = 0; scale != 0 && j < vocab; j++) {
        gradient[row + j] += scale * (p[j] / z - (j == target ? 1 : 0));
      }
    }
    return sum;
  }

  @Override
  public double gradientNorm() {
    double sum = 0;
    for (double g : gradient) {
      sum += g * g;
    }
    return Math.sqrt(sum);
  }

  @Override
  public void step(AdamW adamW, double learningRate) {
    double clip = Math.min(1, adamW.gradientClip() / (gradientNorm() + 1e-6));
    steps++;
    for (int i = 0; i < weights.length; i++) {
      double g = gradient[i] * clip;
      mean[i] = (float) (adamW.beta1() * mean[i] + (1 - adamW.beta1()) * g);
      square[i] = (float) (adamW.beta2() * square[i] + (1 - adamW.beta2()) * g * g);
      double m = mean[i] / (1 - Math.pow(adamW.beta1(), steps));
      double v = square[i] / (1 - Math.pow(adamW.beta2(), steps));
      double decayed = weights[i] * (1 - learningRate * adamW.weightDecay());
      weights[i] = (float) (decayed - learningRate * m / (Math.sqrt(v) + adamW.epsilon()));
    }
    discardGradients();
  }

  @Override
  public void discardGradients() {
    java.util.Arrays.fill(gradient, 0);
  }

  @Override
  public List<TensorView> weights() {
    return List.of(view("bigram.weight", weights));
  }

  @Override
  public List<TensorView> gradients() {
    float[] values = new float[gradient.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) gradient[i];
    }
    return List.of(view("bigram.weight", values));
  }

  @Override
  public List<TensorView> optimizerState() {
    List<TensorView> state = new ArrayList<>();
    state.add(view("bigram.weight.exp_avg", mean));
    state.add(view("bigram.weight.exp_avg_sq", square));
    MemorySegment step = Arena.ofAuto().allocate(8);
    step.set(ValueLayout.JAVA_LONG, 0, (long) steps);
    state.add(TensorView.of("step", DType.I64, step));
    return state;
  }

  @Override
  public void loadWeights(Checkpoint checkpoint) {
    read(checkpoint, "bigram.weight", weights);
  }

  @Override
  public void loadOptimizerState(Checkpoint checkpoint) {
    read(checkpoint, "bigram.weight.exp_avg", mean);
    read(checkpoint, "bigram.weight.exp_avg_sq", square);
    steps = (int) checkpoint.tensor("step").data().get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
  }

  @Override
  public void close() {}

  private TensorView view(String name, float[] values) {
    MemorySegment data = Arena.ofAuto().allocate(4L * values.length, 8);
    for (int i = 0; i < values.length; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, values[i]);
    }
    return TensorView.of(name, DType.F32, data, vocab, vocab);
  }

  private static void read(Checkpoint checkpoint, String name, float[] into) {
    MemorySegment data = checkpoint.tensor(name).data();
    for (int i = 0; i < into.length; i++) {
      into[i] = data.get(FLOAT, 4L * i);
    }
  }
}
