package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.testing.Seeded;
import moxin.torch.Device;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.Batch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The gradient of cross entropy and log² Z against central differences of both in float64.
@Seeded
class ZLossTest {
  private static final int ROWS = 4;
  private static final double SCALE = 0.25;

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 33, 257})
  void theGradientIsTheSlopeInFloat64(int vocabulary, Random random) {
    double zLoss = 0.05;
    float[] logits = new float[ROWS * vocabulary];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) (3 * random.nextGaussian() + 2);
    }
    int[] targets = {9, 3, Batch.IGNORED, 0, vocabulary - 1};
    double[] exact = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      exact[i] = logits[i];
    }
    for (Kernels kernels : List.of(new VectorKernels(), new AtenKernels())) {
      try (Scope _ = Scope.open()) {
        Tensor tensor = Tensor.of(logits, Device.CPU, ROWS, vocabulary);
        double loss = kernels.lossAndGradient(tensor, targets, 1, SCALE, zLoss);
        assertThat(loss).isCloseTo(objective(exact, vocabulary, targets, 0) / SCALE, within(1e-4));
        float[] gradient = tensor.toFloats();
        for (int i = 0; i < exact.length; i++) {
          double kept = exact[i];
          double h = 1e-5;
          exact[i] = kept + h;
          double up = objective(exact, vocabulary, targets, zLoss);
          exact[i] = kept - h;
          double down = objective(exact, vocabulary, targets, zLoss);
          exact[i] = kept;
          assertThat((double) gradient[i]).isCloseTo((up - down) / (2 * h), within(2e-7));
        }
      }
    }
  }

  private static double objective(double[] logits, int vocabulary, int[] targets, double zLoss) {
    double sum = 0;
    for (int row = 0; row < ROWS; row++) {
      int target = targets[1 + row];
      if (target != Batch.IGNORED) {
        double z = 0;
        for (int i = 0; i < vocabulary; i++) {
          z += Math.exp(logits[row * vocabulary + i]);
        }
        double logZ = Math.log(z);
        sum += logZ - logits[row * vocabulary + target] + zLoss * logZ * logZ;
      }
    }
    return SCALE * sum;
  }

  @Test
  void thePositionsOfAChunkDoNotMatter(Random random) {
    int vocabulary = 100;
    float[] logits = new float[ROWS * vocabulary];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) random.nextGaussian();
    }
    int[] targets = {3, Batch.IGNORED, 99, 0};
    try (Scope _ = Scope.open()) {
      Tensor whole = Tensor.of(logits, Device.CPU, ROWS, vocabulary);
      Tensor parts = Tensor.of(logits, Device.CPU, ROWS, vocabulary);
      Kernels kernels = new VectorKernels();
      kernels.lossAndGradient(whole, targets, 0, SCALE, 1e-3);
      kernels.lossAndGradient(parts.view(0, 3, vocabulary), targets, 0, SCALE, 1e-3);
      kernels.lossAndGradient(parts.view(3L * vocabulary, 1, vocabulary), targets, 3, SCALE, 1e-3);
      assertThat(parts.toFloats()).isEqualTo(whole.toFloats());
      assertThat(parts.type()).isEqualTo(DType.F32);
    }
  }
}
