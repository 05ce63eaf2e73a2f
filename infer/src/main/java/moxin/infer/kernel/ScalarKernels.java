package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The contract in plain Java: the oracle that the other tiers are tested against. Weights stay as
/// files store them, row after row.
public final class ScalarKernels implements MatrixKernels {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int BLOCK = 32;

  @Override
  public String name() {
    return "scalar";
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
    return (long) PackedMatrix.tiles(rows) * TILE * format.rowBytes(columns);
  }

  @Override
  public void pack(PackedMatrix target, int tile, RowSource source) {
    long rowBytes = target.format().rowBytes(target.columns());
    for (int row = tile * TILE; row < (tile + 1) * TILE; row++) {
      MemorySegment packed = target.data().asSlice(row * rowBytes, rowBytes);
      if (row < target.rows()) {
        MemorySegment.copy(source.row(row), 0, packed, 0, rowBytes);
      } else {
        packed.fill((byte) 0);
      }
    }
  }

  /// Prepared tokens follow each other: fp32 as it is; INT8 as the scales of all blocks, then the
  /// bytes.
  @Override
  public long inputBytes(InputFormat format, int tokens, int columns) {
    return tokens * tokenBytes(format, columns);
  }

  private static long tokenBytes(InputFormat format, int columns) {
    return switch (format) {
      case F32 -> 4L * columns;
      case INT8 -> columns + 4L * (columns / BLOCK);
      case BF16 -> throw new IllegalArgumentException("the scalar tier has no BF16 inputs");
    };
  }

  @Override
  public int tokenGroup() {
    return 1;
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
    long tokenBytes = tokenBytes(format, columns);
    for (int token = from; token < to; token++) {
      MemorySegment target = input.asSlice(token * tokenBytes, tokenBytes);
      if (format == InputFormat.F32) {
        MemorySegment.copy(x, 4L * token * xStride, target, 0, tokenBytes);
      } else {
        for (int block = 0; block < columns / BLOCK; block++) {
          quantise(x, token * xStride + (long) block * BLOCK, target, block, columns / BLOCK);
        }
      }
    }
  }

  private static void quantise(
      MemorySegment x, long index, MemorySegment target, int block, int blocks) {
    float max = 0;
    for (int i = 0; i < BLOCK; i++) {
      max = Math.max(max, Math.abs(x.get(FLOAT, 4 * (index + i))));
    }
    float scale = max / 127;
    float inverse = 1 / scale;
    target.set(FLOAT, 4L * block, scale);
    for (int i = 0; i < BLOCK; i++) {
      double quotient = x.get(FLOAT, 4 * (index + i)) * inverse;
      byte quant = Float.isFinite(inverse) ? (byte) Math.rint(quotient) : 0;
      target.set(ValueLayout.JAVA_BYTE, 4L * blocks + (long) block * BLOCK + i, quant);
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
    int columns = weights.columns();
    long tokenBytes = tokenBytes(inputFormat(weights.format()), columns);
    for (int token = 0; token < tokens; token++) {
      MemorySegment x = input.asSlice(token * tokenBytes, tokenBytes);
      for (int row = fromTile * TILE; row < toTile * TILE; row++) {
        y.set(FLOAT, 4 * (token * yStride + row), dot(weights, row, x));
      }
    }
  }

  private static float dot(PackedMatrix weights, int row, MemorySegment x) {
    int columns = weights.columns();
    long at = row * weights.format().rowBytes(columns);
    return switch (weights.format()) {
      case F32 -> {
        float y = 0;
        for (int k = 0; k < columns; k++) {
          y = Math.fma(weights.data().get(FLOAT, at + 4L * k), x.get(FLOAT, 4L * k), y);
        }
        yield y;
      }
      case BF16 -> {
        float y = 0;
        for (int k = 0; k < columns; k++) {
          float weight = Float.intBitsToFloat(weights.data().get(SHORT, at + 2L * k) << 16);
          y = Math.fma(weight, x.get(FLOAT, 4L * k), y);
        }
        yield y;
      }
      case Q8_0, Q4_0, Q4_K, Q5_K, Q6_K -> quantisedDot(weights, at, x);
    };
  }

  private static float quantisedDot(PackedMatrix weights, long at, MemorySegment x) {
    WeightFormat format = weights.format();
    boolean minima = format == WeightFormat.Q4_K || format == WeightFormat.Q5_K;
    WeightBlock block = new WeightBlock(format);
    int elements = format.blockElements();
    long bytes = 4L * (weights.columns() / BLOCK);
    float y = 0;
    for (int b = 0; b < weights.columns() / elements; b++) {
      block.read(weights.data(), at + (long) b * format.blockBytes());
      for (int i = 0; i < elements; i += block.groupElements()) {
        int k = b * elements + i;
        int dot = 0;
        int sum = 0;
        for (int j = 0; j < block.groupElements(); j++) {
          byte quant = x.get(ValueLayout.JAVA_BYTE, bytes + k + j);
          dot += block.quant(i + j) * quant;
          sum += quant;
        }
        int group = i / block.groupElements();
        float scale = x.get(FLOAT, 4L * (k / BLOCK));
        y = Math.fma((float) dot, block.scale(group) * scale, y);
        if (minima) {
          y = Math.fma(-block.minimum(group), scale * (float) sum, y);
        }
      }
    }
    return y;
  }
}
