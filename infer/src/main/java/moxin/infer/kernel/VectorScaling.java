package moxin.infer.kernel;

import static moxin.infer.kernel.MatrixKernels.TILE;
import static moxin.infer.kernel.VectorMemory.ALL;
import static moxin.infer.kernel.VectorPanel.LINES;
import static moxin.infer.kernel.VectorPanel.ROWS;
import static moxin.infer.kernel.VectorWidth.FLOATS;
import static moxin.infer.kernel.VectorWidth.INTS;
import static moxin.infer.kernel.VectorWidth.LANES;
import static moxin.infer.kernel.VectorWidth.ORDER;
import static moxin.infer.kernel.VectorWidth.SHORTS;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Applies scales and minima to a block's sums and adds them to the outputs.
///
/// Common to all methods: all `long` parameters are addresses. Token t's sums are the shorts at
/// `sums + t · LINES`, in the order of lines; its scale is the float at `scales + 4 · t`, its
/// outputs are the floats at `y + 2 · t · LINES`, in the natural order.
final class VectorScaling {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ORDER);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ORDER);

  /// Bytes from sum to sum of one token.
  private static final int STEP = 2 * VectorLayout.GROUP;

  private VectorScaling() {}

  /// `y += sums · scales`.
  static void scale(long weightScales, long sums, int tokens, long scales, long y) {
    weightScales = VectorMemory.address(weightScales);
    sums = VectorMemory.address(sums);
    scales = VectorMemory.address(scales);
    y = VectorMemory.address(y);
    for (int row = 0; row < TILE / 2; row += LANES) {
      long at = 4L * (row & 15);
      FloatVector weight0 = FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + at, ORDER);
      FloatVector weight1 =
          FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + at + 2 * TILE, ORDER);
      FloatVector weight2 =
          FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + at + 4 * TILE, ORDER);
      FloatVector weight3 =
          FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + at + 6 * TILE, ORDER);
      for (int i = 0; i < tokens; i++) {
        int t = i & 7;
        float scale = ALL.get(FLOAT, scales + 4L * t);
        long from = sums + at + (long) LINES * t;
        long out = y + at + 2L * LINES * t;
        IntVector pair0 = IntVector.fromMemorySegment(INTS, ALL, from, ORDER);
        IntVector pair1 = IntVector.fromMemorySegment(INTS, ALL, from + 2 * TILE, ORDER);
        ((FloatVector)
                pair0
                    .lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .castShape(FLOATS, 0))
            .fma(weight0.mul(scale), FloatVector.fromMemorySegment(FLOATS, ALL, out, ORDER))
            .intoMemorySegment(ALL, out, ORDER);
        ((FloatVector) pair0.lanewise(VectorOperators.ASHR, 16).castShape(FLOATS, 0))
            .fma(
                weight1.mul(scale),
                FloatVector.fromMemorySegment(FLOATS, ALL, out + 2 * TILE, ORDER))
            .intoMemorySegment(ALL, out + 2 * TILE, ORDER);
        ((FloatVector)
                pair1
                    .lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .castShape(FLOATS, 0))
            .fma(
                weight2.mul(scale),
                FloatVector.fromMemorySegment(FLOATS, ALL, out + 4 * TILE, ORDER))
            .intoMemorySegment(ALL, out + 4 * TILE, ORDER);
        ((FloatVector) pair1.lanewise(VectorOperators.ASHR, 16).castShape(FLOATS, 0))
            .fma(
                weight3.mul(scale),
                FloatVector.fromMemorySegment(FLOATS, ALL, out + 6 * TILE, ORDER))
            .intoMemorySegment(ALL, out + 6 * TILE, ORDER);
      }
    }
  }

  /// `y += (sums + centre · sum of x) · scales − minima · sum of x`.
  static void scaleWithMinima(
      long weightScales,
      long minima,
      int centre,
      long sums,
      int tokens,
      long scales,
      long xSums,
      long y) {
    weightScales = VectorMemory.address(weightScales);
    minima = VectorMemory.address(minima);
    sums = VectorMemory.address(sums);
    scales = VectorMemory.address(scales);
    xSums = VectorMemory.address(xSums);
    y = VectorMemory.address(y);
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        long at = sums + 2L * (tile + 2 * row);
        long out = y + 4L * (tile + row);
        FloatVector scale0 =
            FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + 4L * (tile + row), ORDER);
        FloatVector scale1 =
            FloatVector.fromMemorySegment(
                FLOATS, ALL, weightScales + 4L * (tile + row) + 2 * TILE, ORDER);
        FloatVector minimum0 =
            FloatVector.fromMemorySegment(FLOATS, ALL, minima + 4L * (tile + row), ORDER);
        FloatVector minimum1 =
            FloatVector.fromMemorySegment(
                FLOATS, ALL, minima + 4L * (tile + row) + 2 * TILE, ORDER);
        for (int t = 0; t < tokens; t++) {
          float scale = ALL.get(FLOAT, scales + 4L * (t & 7));
          int sum =
              ALL.get(SHORT, xSums + 2L * (t & 7))
                  + ALL.get(SHORT, xSums + STEP + 2L * (t & 7))
                  + ALL.get(SHORT, xSums + 2 * STEP + 2L * (t & 7))
                  + ALL.get(SHORT, xSums + 3 * STEP + 2L * (t & 7));
          int correction = centre * sum;
          float minimum = scale * (float) sum;
          IntVector pair =
              ShortVector.fromMemorySegment(SHORTS, ALL, at + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(correction);
          IntVector upper = pair.lanewise(VectorOperators.ASHR, 16).add(correction);
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(
                      scale0.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7), ORDER));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER));
          low = minimum0.fma(FloatVector.broadcast(FLOATS, minimum), low);
          high = minimum1.fma(FloatVector.broadcast(FLOATS, minimum), high);
          low.intoMemorySegment(ALL, out + 2L * LINES * (t & 7), ORDER);
          high.intoMemorySegment(ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER);
        }
      }
    }
  }

  /// `y += (sums + more) · scales`.
  static void scaleTwo(long weightScales, long sums, long more, int tokens, long scales, long y) {
    weightScales = VectorMemory.address(weightScales);
    sums = VectorMemory.address(sums);
    more = VectorMemory.address(more);
    scales = VectorMemory.address(scales);
    y = VectorMemory.address(y);
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        long at = sums + 2L * (tile + 2 * row);
        long at2 = more + 2L * (tile + 2 * row);
        long out = y + 4L * (tile + row);
        FloatVector scale0 =
            FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + 4L * (tile + row), ORDER);
        FloatVector scale1 =
            FloatVector.fromMemorySegment(
                FLOATS, ALL, weightScales + 4L * (tile + row) + 2 * TILE, ORDER);
        for (int t = 0; t < tokens; t++) {
          float scale = ALL.get(FLOAT, scales + 4L * (t & 7));
          IntVector pair =
              ShortVector.fromMemorySegment(SHORTS, ALL, at + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
          IntVector pair2 =
              ShortVector.fromMemorySegment(SHORTS, ALL, at2 + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
          IntVector lower =
              pair.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(pair2.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
          IntVector upper =
              pair.lanewise(VectorOperators.ASHR, 16).add(pair2.lanewise(VectorOperators.ASHR, 16));
          FloatVector low =
              ((FloatVector) lower.castShape(FLOATS, 0))
                  .fma(
                      scale0.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7), ORDER));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER));
          low.intoMemorySegment(ALL, out + 2L * LINES * (t & 7), ORDER);
          high.intoMemorySegment(ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER);
        }
      }
    }
  }

  /// `y += (sums + more + centre · sum of x) · scales − minima · sum of x`.
  static void scaleTwoWithMinima(
      long weightScales,
      long minima,
      int centre,
      long sums,
      long more,
      int tokens,
      long scales,
      long xSums,
      long y) {
    weightScales = VectorMemory.address(weightScales);
    minima = VectorMemory.address(minima);
    sums = VectorMemory.address(sums);
    more = VectorMemory.address(more);
    scales = VectorMemory.address(scales);
    xSums = VectorMemory.address(xSums);
    y = VectorMemory.address(y);
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        long at = sums + 2L * (tile + 2 * row);
        long at2 = more + 2L * (tile + 2 * row);
        long out = y + 4L * (tile + row);
        FloatVector scale0 =
            FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + 4L * (tile + row), ORDER);
        FloatVector scale1 =
            FloatVector.fromMemorySegment(
                FLOATS, ALL, weightScales + 4L * (tile + row) + 2 * TILE, ORDER);
        FloatVector minimum0 =
            FloatVector.fromMemorySegment(FLOATS, ALL, minima + 4L * (tile + row), ORDER);
        FloatVector minimum1 =
            FloatVector.fromMemorySegment(
                FLOATS, ALL, minima + 4L * (tile + row) + 2 * TILE, ORDER);
        for (int t = 0; t < tokens; t++) {
          float scale = ALL.get(FLOAT, scales + 4L * (t & 7));
          int sum =
              ALL.get(SHORT, xSums + 2L * (t & 7))
                  + ALL.get(SHORT, xSums + STEP + 2L * (t & 7))
                  + ALL.get(SHORT, xSums + 2 * STEP + 2L * (t & 7))
                  + ALL.get(SHORT, xSums + 3 * STEP + 2L * (t & 7));
          int correction = centre * sum;
          float minimum = scale * (float) sum;
          IntVector pair =
              ShortVector.fromMemorySegment(SHORTS, ALL, at + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
          IntVector pair2 =
              ShortVector.fromMemorySegment(SHORTS, ALL, at2 + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
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
                  .fma(
                      scale0.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7), ORDER));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER));
          low = minimum0.fma(FloatVector.broadcast(FLOATS, minimum), low);
          high = minimum1.fma(FloatVector.broadcast(FLOATS, minimum), high);
          low.intoMemorySegment(ALL, out + 2L * LINES * (t & 7), ORDER);
          high.intoMemorySegment(ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER);
        }
      }
    }
  }

  /// As [#scale], where `more` are [VectorIntegerLoops]' coarse sums.
  static void scalePairs(long weightScales, long sums, long more, int tokens, long scales, long y) {
    weightScales = VectorMemory.address(weightScales);
    sums = VectorMemory.address(sums);
    more = VectorMemory.address(more);
    scales = VectorMemory.address(scales);
    y = VectorMemory.address(y);
    for (int tile = 0; tile < ROWS; tile += TILE) {
      for (int row = 0; row < TILE / 2; row += LANES) {
        long at = sums + 2L * (tile + 2 * row);
        long at2 = more + 2L * (tile + 2 * row);
        long out = y + 4L * (tile + row);
        FloatVector scale0 =
            FloatVector.fromMemorySegment(FLOATS, ALL, weightScales + 4L * (tile + row), ORDER);
        FloatVector scale1 =
            FloatVector.fromMemorySegment(
                FLOATS, ALL, weightScales + 4L * (tile + row) + 2 * TILE, ORDER);
        for (int t = 0; t < tokens; t++) {
          float scale = ALL.get(FLOAT, scales + 4L * (t & 7));
          IntVector pair =
              ShortVector.fromMemorySegment(SHORTS, ALL, at + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
          IntVector pair2 =
              ShortVector.fromMemorySegment(SHORTS, ALL, at2 + (long) LINES * (t & 7), ORDER)
                  .reinterpretAsInts();
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
                  .fma(
                      scale0.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7), ORDER));
          FloatVector high =
              ((FloatVector) upper.castShape(FLOATS, 0))
                  .fma(
                      scale1.mul(scale),
                      FloatVector.fromMemorySegment(
                          FLOATS, ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER));
          low.intoMemorySegment(ALL, out + 2L * LINES * (t & 7), ORDER);
          high.intoMemorySegment(ALL, out + 2L * LINES * (t & 7) + 2 * TILE, ORDER);
        }
      }
    }
  }
}
