package moxin.infer.assembly;

import java.lang.foreign.MemorySegment;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.RowSource;
import moxin.infer.kernel.WeightFormat;

/// Stands where another tier's kernels must not be asked for a product; notes what they are asked.
final class NoKernels implements MatrixKernels {
  static final int TOKEN_GROUP = 7;

  @Override
  public String name() {
    return "none";
  }

  @Override
  public InputFormat inputFormat(WeightFormat format) {
    return InputFormat.F32;
  }

  @Override
  public long packedBytes(WeightFormat format, int rows, int columns) {
    throw new AssertionError("packedBytes of the other tier");
  }

  @Override
  public void pack(PackedMatrix target, int tile, RowSource source) {
    throw new AssertionError("pack of the other tier");
  }

  @Override
  public long inputBytes(InputFormat format, int tokens, int columns) {
    throw new AssertionError("inputBytes of the other tier");
  }

  @Override
  public int tokenGroup() {
    return TOKEN_GROUP;
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
    throw new AssertionError("prepare of the other tier");
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
    throw new AssertionError("multiply of the other tier");
  }
}
