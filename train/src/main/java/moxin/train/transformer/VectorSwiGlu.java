package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.sigmoid;
import static moxin.train.transformer.VectorMemory.store;

import jdk.incubator.vector.FloatVector;

/// SwiGLU (Shazeer 2020) over rows that hold gate and up side by side, `(rows, 2F)`.
final class VectorSwiGlu {

  private VectorSwiGlu() {}

  /// `activated (rows, F) = silu(gate) · up`.
  static void forward(int rows, int width, boolean bf16, long gateUp, long activated) {
    long bytes = VectorMemory.bytes(bf16);
    for (int row = 0; row < rows; row++) {
      long gate = gateUp + bytes * 2 * row * width;
      long up = gate + bytes * width;
      long out = activated + bytes * row * width;
      for (int i = 0; i < width; i += LANES) {
        FloatVector g = load(bf16, gate, i, width);
        FloatVector a = g.mul(sigmoid(g)).mul(load(bf16, up, i, width));
        store(bf16, out, i, width, a);
      }
    }
  }

  /// Turns `gateUp` into its gradient and `dActivated` into what [#forward] gave, which the weight
  /// gradient of the next projection needs.
  static void backward(int rows, int width, boolean bf16, long gateUp, long dActivated) {
    long bytes = VectorMemory.bytes(bf16);
    for (int row = 0; row < rows; row++) {
      long gate = gateUp + bytes * 2 * row * width;
      long up = gate + bytes * width;
      long activated = dActivated + bytes * row * width;
      for (int i = 0; i < width; i += LANES) {
        FloatVector g = load(bf16, gate, i, width);
        FloatVector u = load(bf16, up, i, width);
        FloatVector d = load(bf16, activated, i, width);
        FloatVector s = sigmoid(g);
        FloatVector silu = g.mul(s);
        FloatVector slope = s.add(silu.mul(FloatVector.broadcast(VectorMemory.FLOATS, 1f).sub(s)));
        store(bf16, gate, i, width, d.mul(u).mul(slope));
        store(bf16, up, i, width, d.mul(silu));
        store(bf16, activated, i, width, silu.mul(u));
      }
    }
  }
}
