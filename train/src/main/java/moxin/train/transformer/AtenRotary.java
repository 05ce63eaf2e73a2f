package moxin.train.transformer;

import java.util.stream.IntStream;
import moxin.model.ModelConfig;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Tensor;

/// Rotary position embedding by libtorch's operators, on `(…, T, heads, D)`.
///
/// @param cosines `(T, 1, D)`, both halves alike
/// @param sines `(T, 1, D)`, the first half negated
/// @param minusSines `(T, 1, D)`, the second half negated: rotates back
record AtenRotary(Tensor cosines, Tensor sines, Tensor minusSines) {

  /// The rotations of positions `[from, from + count)`.
  static AtenRotary of(ModelConfig config, int from, int count, Device device) {
    return of(config, IntStream.range(from, from + count).toArray(), device);
  }

  /// The rotations of any positions.
  static AtenRotary of(ModelConfig config, int[] positions, Device device) {
    RotaryTable table = RotaryTable.of(config.headDim(), config.ropeTheta(), positions);
    int count = positions.length;
    int half = table.half();
    float[] cosines = new float[2 * count * half];
    float[] sines = new float[2 * count * half];
    float[] minusSines = new float[2 * count * half];
    for (int t = 0; t < count; t++) {
      for (int j = 0; j < half; j++) {
        int first = 2 * t * half + j;
        float sine = table.sines()[t * half + j];
        cosines[first] = table.cosines()[t * half + j];
        cosines[first + half] = cosines[first];
        sines[first] = -sine;
        sines[first + half] = sine;
        minusSines[first] = sine;
        minusSines[first + half] = -sine;
      }
    }
    long[] shape = {count, 1, config.headDim()};
    return new AtenRotary(
        Tensor.of(cosines, device, shape),
        Tensor.of(sines, device, shape),
        Tensor.of(minusSines, device, shape));
  }

  Tensor rotate(Tensor x) {
    return rotate(x, sines);
  }

  Tensor rotateBack(Tensor x) {
    return rotate(x, minusSines);
  }

  private Tensor rotate(Tensor x, Tensor signedSines) {
    long half = cosines.shape()[2] / 2;
    return Aten.add(Aten.mul(x, cosines), Aten.mul(Aten.roll(x, half), signedSines));
  }
}
