package moxin.infer;

import java.util.Arrays;

/// The oracle: the plainest Java that computes what [Kernels] promises.
final class ScalarKernels implements Kernels {

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void multiplyTile(
      PackedMatrix weights, int tile, float[] x, int xStride, int tokens, float[] y, int yStride) {
    for (int n = 0; n < tokens; n++) {
      int yAt = n * yStride + tile * TILE;
      Arrays.fill(y, yAt, yAt + TILE, 0f);
      for (int k = 0; k < weights.columns(); k++) {
        float input = x[n * xStride + k];
        for (int r = 0; r < TILE; r++) {
          y[yAt + r] = Math.fma(weights.at(tile, k, r), input, y[yAt + r]);
        }
      }
    }
  }

  @Override
  public void scores(
      float[] keys,
      int keysAt,
      float[] query,
      int queryAt,
      int depth,
      float[] scores,
      int scoresAt) {
    Arrays.fill(scores, scoresAt, scoresAt + TILE, 0f);
    for (int d = 0; d < depth; d++) {
      for (int j = 0; j < TILE; j++) {
        scores[scoresAt + j] =
            Math.fma(keys[keysAt + d * TILE + j], query[queryAt + d], scores[scoresAt + j]);
      }
    }
  }

  @Override
  public void addScaled(
      float weight, float[] values, int valuesAt, float[] sums, int sumsAt, int count) {
    for (int i = 0; i < count; i++) {
      sums[sumsAt + i] = Math.fma(weight, values[valuesAt + i], sums[sumsAt + i]);
    }
  }
}
