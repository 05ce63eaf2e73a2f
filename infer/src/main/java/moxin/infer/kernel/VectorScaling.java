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
/// Common to all methods: token t's sums are `sums[t · ROWS ..]`, in the order of lines; its scale
/// is the float at byte `scales + 4 · t` of `x`, its outputs are `y[to + t · ROWS ..]`, in the
/// natural order. `group` is the weights' group of columns with one scale.
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
      VectorPanel panel,
      int group,
      short[] sums,
      int tokens,
      MemorySegment x,
      long scales,
      float[] y,
      int to) {
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        int at = tile + 2 * row;
        int out = to + tile + row;
        FloatVector scale0 = FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row);
        FloatVector scale1 =
            FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row + TILE / 2);
        for (int t = 0; t < tokens; t++) {
          float scale = x.get(FLOAT, scales + 4L * t);
          IntVector pair = ShortVector.fromArray(SHORTS, sums, at + t * ROWS).reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
          IntVector upper = pair.lanewise(VectorOperators.ASHR, 16);
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(scale0.mul(scale), FloatVector.fromArray(FLOATS, y, out + t * ROWS));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromArray(FLOATS, y, out + t * ROWS + TILE / 2));
          low.intoArray(y, out + t * ROWS);
          high.intoArray(y, out + t * ROWS + TILE / 2);
        }
      }
    }
  }

  /// `y += (sums + centre · sum of x) · scales − minima · sum of x`.
  static void scaleWithMinima(
      VectorPanel panel,
      int group,
      int centre,
      short[] sums,
      int tokens,
      MemorySegment x,
      long scales,
      long xSums,
      float[] y,
      int to) {
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        int at = tile + 2 * row;
        int out = to + tile + row;
        FloatVector scale0 = FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row);
        FloatVector scale1 =
            FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row + TILE / 2);
        FloatVector minimum0 =
            FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + tile + row);
        FloatVector minimum1 =
            FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + tile + row + TILE / 2);
        for (int t = 0; t < tokens; t++) {
          float scale = x.get(FLOAT, scales + 4L * t);
          int sum =
              x.get(SHORT, xSums + 2L * t)
                  + x.get(SHORT, xSums + STEP + 2L * t)
                  + x.get(SHORT, xSums + 2 * STEP + 2L * t)
                  + x.get(SHORT, xSums + 3 * STEP + 2L * t);
          int correction = centre * sum;
          float minimum = scale * (float) sum;
          IntVector pair = ShortVector.fromArray(SHORTS, sums, at + t * ROWS).reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(correction);
          IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(correction);
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(scale0.mul(scale), FloatVector.fromArray(FLOATS, y, out + t * ROWS));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromArray(FLOATS, y, out + t * ROWS + TILE / 2));
          low = minimum0.fma(FloatVector.broadcast(FLOATS, minimum), low);
          high = minimum1.fma(FloatVector.broadcast(FLOATS, minimum), high);
          low.intoArray(y, out + t * ROWS);
          high.intoArray(y, out + t * ROWS + TILE / 2);
        }
      }
    }
  }

  /// `y += (sums + more) · scales`.
  static void scaleTwo(
      VectorPanel panel,
      int group,
      short[] sums,
      short[] more,
      int tokens,
      MemorySegment x,
      long scales,
      float[] y,
      int to) {
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        int at = tile + 2 * row;
        int out = to + tile + row;
        FloatVector scale0 = FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row);
        FloatVector scale1 =
            FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row + TILE / 2);
        for (int t = 0; t < tokens; t++) {
          float scale = x.get(FLOAT, scales + 4L * t);
          IntVector pair = ShortVector.fromArray(SHORTS, sums, at + t * ROWS).reinterpretAsInts();
          IntVector pair2 = ShortVector.fromArray(SHORTS, more, at + t * ROWS).reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
          IntVector upper =
              pair.lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.ASHR, 16));
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(scale0.mul(scale), FloatVector.fromArray(FLOATS, y, out + t * ROWS));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromArray(FLOATS, y, out + t * ROWS + TILE / 2));
          low.intoArray(y, out + t * ROWS);
          high.intoArray(y, out + t * ROWS + TILE / 2);
        }
      }
    }
  }

  /// `y += (sums + more + centre · sum of x) · scales − minima · sum of x`.
  static void scaleTwoWithMinima(
      VectorPanel panel,
      int group,
      int centre,
      short[] sums,
      short[] more,
      int tokens,
      MemorySegment x,
      long scales,
      long xSums,
      float[] y,
      int to) {
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        int at = tile + 2 * row;
        int out = to + tile + row;
        FloatVector scale0 = FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row);
        FloatVector scale1 =
            FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row + TILE / 2);
        FloatVector minimum0 =
            FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + tile + row);
        FloatVector minimum1 =
            FloatVector.fromArray(FLOATS, panel.minima, group * ROWS + tile + row + TILE / 2);
        for (int t = 0; t < tokens; t++) {
          float scale = x.get(FLOAT, scales + 4L * t);
          int sum =
              x.get(SHORT, xSums + 2L * t)
                  + x.get(SHORT, xSums + STEP + 2L * t)
                  + x.get(SHORT, xSums + 2 * STEP + 2L * t)
                  + x.get(SHORT, xSums + 3 * STEP + 2L * t);
          int correction = centre * sum;
          float minimum = scale * (float) sum;
          IntVector pair = ShortVector.fromArray(SHORTS, sums, at + t * ROWS).reinterpretAsInts();
          IntVector pair2 = ShortVector.fromArray(SHORTS, more, at + t * ROWS).reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                  .add(correction);
          IntVector upper =
              pair.lanewise(VectorOperators.ASHR, 16)
                  .add(pair2.lanewise(VectorOperators.ASHR, 16))
                  .add(correction);
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(scale0.mul(scale), FloatVector.fromArray(FLOATS, y, out + t * ROWS));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromArray(FLOATS, y, out + t * ROWS + TILE / 2));
          low = minimum0.fma(FloatVector.broadcast(FLOATS, minimum), low);
          high = minimum1.fma(FloatVector.broadcast(FLOATS, minimum), high);
          low.intoArray(y, out + t * ROWS);
          high.intoArray(y, out + t * ROWS + TILE / 2);
        }
      }
    }
  }

  /// As [#scale], where `more` are [VectorIntegerLoops]' coarse sums.
  static void scalePairs(
      VectorPanel panel,
      int group,
      short[] sums,
      short[] more,
      int tokens,
      MemorySegment x,
      long scales,
      float[] y,
      int to) {
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        int at = tile + 2 * row;
        int out = to + tile + row;
        FloatVector scale0 = FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row);
        FloatVector scale1 =
            FloatVector.fromArray(FLOATS, panel.scales, group * ROWS + tile + row + TILE / 2);
        for (int t = 0; t < tokens; t++) {
          float scale = x.get(FLOAT, scales + 4L * t);
          IntVector pair = ShortVector.fromArray(SHORTS, sums, at + t * ROWS).reinterpretAsInts();
          IntVector pair2 = ShortVector.fromArray(SHORTS, more, at + t * ROWS).reinterpretAsInts();
          // What rounding down left, 0 to 1008.
          IntVector rest =
              pair.reinterpretAsShorts()
                  .sub(pair2.reinterpretAsShorts().lanewise(VectorOperators.LSHL, 6))
                  .reinterpretAsInts();
          IntVector lower =
              pair2
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 10)
                  .add(rest.and(0xffff));
          IntVector upper =
              pair2
                  .lanewise(VectorOperators.ASHR, 16)
                  .lanewise(VectorOperators.LSHL, 6)
                  .add(rest.lanewise(VectorOperators.LSHR, 16));
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(scale0.mul(scale), FloatVector.fromArray(FLOATS, y, out + t * ROWS));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromArray(FLOATS, y, out + t * ROWS + TILE / 2));
          low.intoArray(y, out + t * ROWS);
          high.intoArray(y, out + t * ROWS + TILE / 2);
        }
      }
    }
  }
}
