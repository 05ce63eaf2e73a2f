package moxin.model.quantised;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// One of ggml's quantised formats: how the numbers of a row become blocks of bytes, and back.
/// Stateless and thread-safe.
public abstract sealed class BlockFormat
    permits BlockQ40, BlockQ41, BlockQ50, BlockQ51, BlockQ80, BlockQ4K, BlockQ5K, BlockQ6K {

  static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  static final ValueLayout.OfShort F16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// The greatest magnitude that can be written, f16's.
  public static final float GREATEST = 65504;

  private final DType type;
  private final int elements;
  private final int bytes;

  BlockFormat(DType type) {
    this.type = type;
    this.elements = type.blockElements();
    this.bytes = type.blockByteSize();
  }

  /// The format of `type`.
  ///
  /// @throws IllegalArgumentException if it is not quantised
  public static BlockFormat of(DType type) {
    return switch (type) {
      case Q4_0 -> BlockQ40.INSTANCE;
      case Q4_1 -> BlockQ41.INSTANCE;
      case Q5_0 -> BlockQ50.INSTANCE;
      case Q5_1 -> BlockQ51.INSTANCE;
      case Q8_0 -> BlockQ80.INSTANCE;
      case Q4_K -> BlockQ4K.INSTANCE;
      case Q5_K -> BlockQ5K.INSTANCE;
      case Q6_K -> BlockQ6K.INSTANCE;
      case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL ->
          throw new IllegalArgumentException(type + " is not quantised");
    };
  }

  /// The type whose blocks these are.
  public DType type() {
    return type;
  }

  /// The numbers of a whole row.
  ///
  /// @param row its blocks and nothing else; may be unaligned
  /// @param target has room for exactly the elements of `row`
  public void dequantise(MemorySegment row, float[] target) {
    if (row.byteSize() != type.byteSize(target.length)) {
      throw new IllegalArgumentException(
          row.byteSize() + " bytes are no " + target.length + " elements of " + type);
    }
    dequantise(row, 0, target, 0, target.length);
  }

  /// Elements `[from, from + count)` of `data`, into `target` from `at` on. They need not begin or
  /// end with a block, but those that do not cost a whole one.
  ///
  /// @param data blocks, one after the other; may be unaligned
  public void dequantise(MemorySegment data, long from, float[] target, int at, int count) {
    long block = from / elements;
    int skip = (int) (from % elements);
    int done = 0;
    while (done < count) {
      int some = Math.min(elements - skip, count - done);
      if (some == elements) {
        dequantiseBlock(data, block * bytes, target, at + done);
      } else {
        float[] whole = new float[elements];
        dequantiseBlock(data, block * bytes, whole, 0);
        System.arraycopy(whole, skip, target, at + done, some);
      }
      done += some;
      skip = 0;
      block++;
    }
  }

  /// Writes a whole row.
  ///
  /// @param row a whole number of blocks
  /// @param target has room for exactly the blocks of `row`
  /// @throws IllegalArgumentException if a number is beyond [#GREATEST] or none
  public void quantise(float[] row, MemorySegment target) {
    quantiseRow(row, null, target);
  }

  /// Writes a whole row so that errors of important elements are smaller.
  ///
  /// @param importance of each element, from 0 up: the mean square of the inputs that it is
  ///   multiplied with
  /// @throws IllegalArgumentException as [#quantise(float[], MemorySegment)]
  public void quantise(float[] row, float[] importance, MemorySegment target) {
    if (importance.length != row.length) {
      throw new IllegalArgumentException(
          importance.length + " importances for " + row.length + " elements");
    }
    quantiseRow(row, importance, target);
  }

  private void quantiseRow(float[] row, float @Nullable [] importance, MemorySegment target) {
    if (target.byteSize() != type.byteSize(row.length)) {
      throw new IllegalArgumentException(
          target.byteSize() + " bytes are no " + row.length + " elements of " + type);
    }
    for (float value : row) {
      if (!(Math.abs(value) <= GREATEST)) {
        throw new IllegalArgumentException(value + " cannot be written as " + type);
      }
    }
    for (int at = 0; at < row.length; at += elements) {
      quantiseBlock(row, at, importance, target, (long) at / elements * bytes);
    }
  }

  /// Writes the block of the elements of `row` from `at` on to byte `offset` of `target`.
  ///
  /// @param importance of all elements of `row`, or null if they are alike
  abstract void quantiseBlock(
      float[] row, int at, float @Nullable [] importance, MemorySegment target, long offset);

  /// The numbers of the block at byte `offset` of `data`, into `target` from `at` on.
  abstract void dequantiseBlock(MemorySegment data, long offset, float[] target, int at);

  static float f16(MemorySegment data, long offset) {
    return Float.float16ToFloat(data.get(F16, offset));
  }

  static void put(MemorySegment data, long offset, int value) {
    data.set(BYTE, offset, (byte) value);
  }

  static int u8(MemorySegment data, long offset) {
    return data.get(BYTE, offset) & 0xff;
  }
}
