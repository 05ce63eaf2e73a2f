package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import moxin.model.ModelConfig;

/// Rotary position embedding of the tokens of a pass: cosines and sines of `position · θ^(−2i/D)`,
/// computed in float64 and rounded once.
final class Rotation {
  private final int depth;
  private final double[] frequencies;
  private MemorySegment cosines = MemorySegment.NULL;
  private MemorySegment sines = MemorySegment.NULL;

  Rotation(ModelConfig config) {
    this.depth = config.headDim();
    this.frequencies = new double[depth / 2];
    Arrays.setAll(frequencies, i -> Math.pow(config.ropeTheta(), -2.0 * i / depth));
  }

  /// Fills the tables `(tokens, D/2)` in `buffers` for a pass.
  void prepare(List<Share> shares, PassBuffers buffers) {
    cosines = buffers.cosines();
    sines = buffers.sines();
    for (Share share : shares) {
      for (int n = 0; n < share.count(); n++) {
        long at = (share.row() + (long) n) * frequencies.length;
        for (int i = 0; i < frequencies.length; i++) {
          double angle = (share.position() + n) * frequencies[i];
          cosines.setAtIndex(PassBuffers.FLOAT, at + i, (float) Math.cos(angle));
          sines.setAtIndex(PassBuffers.FLOAT, at + i, (float) Math.sin(angle));
        }
      }
    }
  }

  /// Rotates `heads` vectors of row `row` of the pass, which begin at float `at`.
  void apply(BlockKernels kernels, long row, MemorySegment vectors, long at, int heads) {
    kernels.rotate(vectors, at, heads, depth, cosines, sines, row * frequencies.length);
  }
}
