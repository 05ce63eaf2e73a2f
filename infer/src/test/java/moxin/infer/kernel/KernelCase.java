package moxin.infer.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;

/// A matrix as a file stores it and activations, which any tier can multiply.
final class KernelCase implements AutoCloseable {

  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int PADDING = 16;

  final WeightFormat format;
  final int rows;
  final int columns;
  final int tokens;
  final long xStride;
  final MemorySegment file;
  final MemorySegment x;
  private final Arena arena = Arena.ofShared();

  KernelCase(WeightFormat format, int rows, int columns, int tokens) {
    this.format = format;
    this.rows = rows;
    this.columns = columns;
    this.tokens = tokens;
    xStride = (columns + 15L) / 16 * 16 + PADDING;
    // One byte off any alignment, as in a file.
    file = arena.allocate(rows * format.rowBytes(columns) + 1, 64).asSlice(1);
    x = arena.allocate(4L * tokens * xStride, 64);
  }

  /// Fills weights and activations with numbers like those of models.
  KernelCase random(Random random) {
    for (long i = 0; i < file.byteSize(); i++) {
      file.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    switch (format) {
      case F32 -> fill(4, at -> file.set(FLOAT, at, (float) random.nextGaussian() / 50));
      case BF16 -> fill(2, at -> file.set(SHORT, at, bf16(random.nextGaussian() / 50)));
      case Q8_0, Q4_0 -> scale(0, random);
      case Q4_K, Q5_K -> {
        scale(0, random);
        scale(2, random);
      }
      case Q6_K -> scale(208, random);
    }
    for (int token = 0; token < tokens; token++) {
      for (int k = 0; k < columns; k++) {
        x(token, k, (float) (random.nextGaussian() * Math.exp(random.nextGaussian())));
      }
    }
    return this;
  }

  private void scale(int offset, Random random) {
    fill(
        format.blockBytes(),
        at -> {
          float scale = (random.nextBoolean() ? 1 : -1) * (0.001f + random.nextFloat() / 50);
          file.set(SHORT, at + offset, Float.floatToFloat16(scale));
        });
  }

  /// Calls `action` with every `step`-th byte of the file.
  void fill(int step, java.util.function.LongConsumer action) {
    for (long at = 0; at < file.byteSize(); at += step) {
      action.accept(at);
    }
  }

  private static short bf16(double value) {
    return (short) (Float.floatToIntBits((float) value) >>> 16);
  }

  void x(int token, int k, float value) {
    x.set(FLOAT, 4 * (token * xStride + k), value);
  }

  float x(int token, int k) {
    return x.get(FLOAT, 4 * (token * xStride + k));
  }

  /// The product of one call for each of pieces of `tiles` tiles.
  float[] multiply(MatrixKernels kernels, int tiles) {
    return multiply(kernels, 0, tokens, tiles);
  }

  /// The same of the tokens `[from, to)` alone: `(tokens, rows)`.
  float[] multiply(MatrixKernels kernels, int from, int to, int tiles) {
    int some = to - from;
    try (Arena own = Arena.ofShared()) {
      PackedMatrix packed = pack(kernels, own);
      InputFormat inputs = kernels.inputFormat(format);
      MemorySegment input = own.allocate(kernels.inputBytes(inputs, some, columns), 64);
      MemorySegment tokensOfX = x.asSlice(4L * from * xStride);
      for (int token = 0; token < some; token += kernels.tokenGroup()) {
        int end = Math.min(token + kernels.tokenGroup(), some);
        kernels.prepare(inputs, tokensOfX, xStride, some, token, end, columns, input);
      }
      long yStride = (long) packed.paddedRows() + PADDING;
      MemorySegment y = own.allocate(4L * some * yStride, 64);
      y.fill((byte) -1);
      for (int tile = 0; tile < packed.tiles(); tile += tiles) {
        int end = Math.min(tile + tiles, packed.tiles());
        kernels.multiply(packed, tile, end, input, some, y, yStride);
      }
      float[] result = new float[some * rows];
      for (int token = 0; token < some; token++) {
        MemorySegment.copy(y, FLOAT, 4L * token * yStride, result, token * rows, rows);
      }
      return result;
    }
  }

  PackedMatrix pack(MatrixKernels kernels, Arena own) {
    MemorySegment data = own.allocate(kernels.packedBytes(format, rows, columns), 64);
    data.fill((byte) 0x55);
    PackedMatrix packed = new PackedMatrix(format, rows, columns, data);
    long rowBytes = format.rowBytes(columns);
    for (int tile = 0; tile < packed.tiles(); tile++) {
      kernels.pack(packed, tile, row -> file.asSlice(row * rowBytes, rowBytes));
    }
    return packed;
  }

  @Override
  public void close() {
    arena.close();
  }
}
