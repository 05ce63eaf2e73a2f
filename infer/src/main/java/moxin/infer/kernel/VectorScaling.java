package moxin.infer.kernel;

import static moxin.infer.kernel.MatrixKernels.TILE;
import static moxin.infer.kernel.VectorPanel.ROWS;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Applies scales and minima to a block's sums and adds them to the outputs.
///
/// Common to all methods: token t's sums are `sums[t · ROWS ..]`, in the order of lines; its scale is
/// the float at byte `scales + 4 · t` of `x`, its outputs are `y[to + t · ROWS ..]`, in the natural
/// order. `group` is the weights' group of columns with one scale.
final class VectorScaling {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  /// Bytes from sum to sum of one token.
  private static final int STEP = 2 * VectorLayout.GROUP;

  private VectorScaling() {}

  /// `y += sums · scales`.
  static void scale(
      VectorPanel panel, int group, short[] sums, int tokens, MemorySegment x, long scales, float[] y, int to) {
    for (int t = 0; t < tokens; t++, to += ROWS) {
      float scale = x.get(FLOAT, scales + 4L * t);
      for (int row = 0; row < ROWS; row += row % TILE + LANES == TILE / 2 ? LANES + TILE / 2 : LANES) {
        int at = t * ROWS + row + row % TILE;
        IntVector pair = ShortVector.fromArray(SHORTS, sums, at).reinterpretAsInts();
        IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector upper = pair.lanewise(VectorOperators.ASHR, 16);
        FloatVector low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row).mul(scale), FloatVector.fromArray(FLOATS, y, to + row));
        FloatVector high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row + TILE / 2).mul(scale), FloatVector.fromArray(FLOATS, y, to + row + TILE / 2));
        low.intoArray(y, to + row);
        high.intoArray(y, to + row + TILE / 2);
      }
    }
  }

  /// `y += (sums + centre · sum of x) · scales − minima · sum of x`.
  static void scaleWithMinima(
      VectorPanel panel, int group, int centre, short[] sums, int tokens, MemorySegment x, long scales, long xSums, float[] y, int to) {
    for (int t = 0; t < tokens; t++, to += ROWS) {
      float scale = x.get(FLOAT, scales + 4L * t);
      int sum = x.get(SHORT, xSums + 2L * t) + x.get(SHORT, xSums + STEP + 2L * t) + x.get(SHORT, xSums + 2 * STEP + 2L * t) + x.get(SHORT, xSums + 3 * STEP + 2L * t);
      int correction = centre * sum;
      float minimum = scale * (float) sum;
      for (int row = 0; row < ROWS; row += row % TILE + LANES == TILE / 2 ? LANES + TILE / 2 : LANES) {
        int at = t * ROWS + row + row % TILE;
        IntVector pair = ShortVector.fromArray(SHORTS, sums, at).reinterpretAsInts();
        IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16).add(correction);
        IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(correction);
        FloatVector low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row).mul(scale), FloatVector.fromArray(FLOATS, y, to + row));
        FloatVector high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row + TILE / 2).mul(scale), FloatVector.fromArray(FLOATS, y, to + row + TILE / 2));
        low = FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + row).fma(FloatVector.broadcast(FLOATS, minimum), low);
        high = FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + row + TILE / 2).fma(FloatVector.broadcast(FLOATS, minimum), high);
        low.intoArray(y, to + row);
        high.intoArray(y, to + row + TILE / 2);
      }
    }
  }

  /// `y += (sums + more) · scales`.
  static void scaleTwo(
      VectorPanel panel, int group, short[] sums, short[] more, int tokens, MemorySegment x, long scales, float[] y, int to) {
    for (int t = 0; t < tokens; t++, to += ROWS) {
      float scale = x.get(FLOAT, scales + 4L * t);
      for (int row = 0; row < ROWS; row += row % TILE + LANES == TILE / 2 ? LANES + TILE / 2 : LANES) {
        int at = t * ROWS + row + row % TILE;
        IntVector pair = ShortVector.fromArray(SHORTS, sums, at).reinterpretAsInts();
        IntVector pair2 = ShortVector.fromArray(SHORTS, more, at).reinterpretAsInts();
        IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
        IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.ASHR, 16));
        FloatVector low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row).mul(scale), FloatVector.fromArray(FLOATS, y, to + row));
        FloatVector high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row + TILE / 2).mul(scale), FloatVector.fromArray(FLOATS, y, to + row + TILE / 2));
        low.intoArray(y, to + row);
        high.intoArray(y, to + row + TILE / 2);
      }
    }
  }

  /// `y += (sums + more + centre · sum of x) · scales − minima · sum of x`.
  static void scaleTwoWithMinima(
      VectorPanel panel, int group, int centre, short[] sums, short[] more, int tokens, MemorySegment x, long scales, long xSums, float[] y, int to) {
    for (int t = 0; t < tokens; t++, to += ROWS) {
      float scale = x.get(FLOAT, scales + 4L * t);
      int sum = x.get(SHORT, xSums + 2L * t) + x.get(SHORT, xSums + STEP + 2L * t) + x.get(SHORT, xSums + 2 * STEP + 2L * t) + x.get(SHORT, xSums + 3 * STEP + 2L * t);
      int correction = centre * sum;
      float minimum = scale * (float) sum;
      for (int row = 0; row < ROWS; row += row % TILE + LANES == TILE / 2 ? LANES + TILE / 2 : LANES) {
        int at = t * ROWS + row + row % TILE;
        IntVector pair = ShortVector.fromArray(SHORTS, sums, at).reinterpretAsInts();
        IntVector pair2 = ShortVector.fromArray(SHORTS, more, at).reinterpretAsInts();
        IntVector lower = pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)).add(correction);
        IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.ASHR, 16)).add(correction);
        FloatVector low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row).mul(scale), FloatVector.fromArray(FLOATS, y, to + row));
        FloatVector high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row + TILE / 2).mul(scale), FloatVector.fromArray(FLOATS, y, to + row + TILE / 2));
        low = FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + row).fma(FloatVector.broadcast(FLOATS, minimum), low);
        high = FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + row + TILE / 2).fma(FloatVector.broadcast(FLOATS, minimum), high);
        low.intoArray(y, to + row);
        high.intoArray(y, to + row + TILE / 2);
      }
    }
  }

  /// As [#scale], where `more` are [VectorIntegerLoops]' coarse sums.
  static void scalePairs(
      VectorPanel panel, int group, short[] sums, short[] more, int tokens, MemorySegment x, long scales, float[] y, int to) {
    for (int t = 0; t < tokens; t++, to += ROWS) {
      float scale = x.get(FLOAT, scales + 4L * t);
      for (int row = 0; row < ROWS; row += row % TILE + LANES == TILE / 2 ? LANES + TILE / 2 : LANES) {
        int at = t * ROWS + row + row % TILE;
        IntVector pair = ShortVector.fromArray(SHORTS, sums, at).reinterpretAsInts();
        IntVector pair2 = ShortVector.fromArray(SHORTS, more, at).reinterpretAsInts();
        // What rounding down left, 0 to 1008.
        IntVector rest = pair.reinterpretAsShorts().sub(pair2.reinterpretAsShorts().lanewise(VectorOperators.LSHL, 6)).reinterpretAsInts();
        IntVector lower = pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 10).add(rest.and(0xffff));
        IntVector upper = pair2.lanewise(VectorOperators.ASHR, 16).lanewise(VectorOperators.LSHL, 6).add(rest.lanewise(VectorOperators.LSHR, 16));
        FloatVector low = ((FloatVector) lower.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row).mul(scale), FloatVector.fromArray(FLOATS, y, to + row));
        FloatVector high = ((FloatVector) upper.castShape(FLOATS, 0)).fma(FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + row + TILE / 2).mul(scale), FloatVector.fromArray(FLOATS, y, to + row + TILE / 2));
        low.intoArray(y, to + row);
        high.intoArray(y, to + row + TILE / 2);
      }
    }
  }

}
