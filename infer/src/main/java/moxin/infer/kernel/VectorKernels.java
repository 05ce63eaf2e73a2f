package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;

/// The portable tier, on the Vector API. Segments have to be native memory; calls of [#multiply] do
/// best with an even number of tiles.
public final class VectorKernels implements MatrixKernels {

  /// Kernels of the width that [VectorWidth] chose.
  public VectorKernels() {}

  @Override
  public String name() {
    return "vector-" + VectorWidth.BITS;
  }

  @Override
  public InputFormat inputFormat(WeightFormat format) {
    return switch (format) {
      case F32, BF16 -> InputFormat.F32;
      case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> InputFormat.INT8;
    };
  }

  @Override
  public long packedBytes(WeightFormat format, int rows, int columns) {
    return PackedMatrix.tiles(rows) * VectorLayout.tileBytes(format, columns);
  }

  @Override
  public void pack(PackedMatrix target, int tile, RowSource source) {
    VectorPacking.pack(target, tile, source);
  }

  @Override
  public long inputBytes(InputFormat format, int tokens, int columns) {
    return switch (format) {
      case F32 -> 4 * VectorLayout.padded(tokens) * columns;
      case INT8 -> VectorLayout.quantisedBytes(tokens, columns);
      case BF16 -> throw new IllegalArgumentException("the vector tier has no BF16 inputs");
    };
  }

  @Override
  public int tokenGroup() {
    return VectorLayout.GROUP;
  }

  @Override
  public void prepare(
      InputFormat format,
      MemorySegment x,
      long xStride,
      int tokens,
      int from,
      int to,
      int columns,
      MemorySegment input) {
    switch (format) {
      case F32 -> VectorInputs.interleave(x, xStride, tokens, from, to, columns, input);
      case INT8 -> VectorInputs.quantise(x, xStride, tokens, from, to, columns, input);
      case BF16 -> throw new IllegalArgumentException("the vector tier has no BF16 inputs");
    }
  }

  @Override
  public void multiply(
      PackedMatrix weights,
      int fromTile,
      int toTile,
      MemorySegment input,
      int tokens,
      MemorySegment y,
      long yStride) {
    switch (weights.format()) {
      case F32, BF16 ->
          VectorFloatProducts.multiply(weights, fromTile, toTile, input, tokens, y, yStride);
      case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K ->
          VectorIntegerProducts.multiply(weights, fromTile, toTile, input, tokens, y, yStride);
    }
  }
}
