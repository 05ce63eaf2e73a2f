package moxin.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import moxin.model.quantised.BlockFormat;

/// Conversions between fp32 and the types of weights. Widening is exact (but for F64, which is
/// rounded, and quantised types, whose products are rounded as ggml rounds them); narrowing rounds
/// to nearest, ties to even.
public final class Precision {

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Precision() {}

  /// The value of a bfloat16.
  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /// The bfloat16 nearest to `value`, ties to even; a NaN stays a NaN.
  public static short floatToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40);
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /// All elements of `view` in fp32.
  ///
  /// @throws CheckpointFormatException if they are no floating-point numbers
  public static float[] widen(TensorView view) {
    float[] values = new float[Math.toIntExact(view.elements())];
    widen(view, 0, values, 0, values.length);
    return values;
  }

  /// Elements `[from, from + count)` of `view` in fp32, into `values` from `at` on.
  ///
  /// @throws CheckpointFormatException if they are no floating-point numbers
  public static void widen(TensorView view, long from, float[] values, int at, int count) {
    MemorySegment data = view.data();
    switch (view.dtype()) {
      case F32 -> MemorySegment.copy(data, FLOAT, from * Float.BYTES, values, at, count);
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = bf16ToFloat(data.get(SHORT, (from + i) * Short.BYTES));
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = Float.float16ToFloat(data.get(SHORT, (from + i) * Short.BYTES));
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          values[at + i] = (float) data.get(DOUBLE, (from + i) * Double.BYTES);
        }
      }
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K ->
          BlockFormat.of(view.dtype()).dequantise(data, from, values, at, count);
      case I64, I32, I16, I8, U8, BOOL ->
          throw new CheckpointFormatException(
              view.name() + ": " + view.dtype() + " holds no floating-point numbers");
    }
  }

  /// Writes `values` as `dtype` into `target`, which has room for exactly that many.
  ///
  /// @throws IllegalArgumentException if `dtype` is no floating-point type or the size differs
  public static void narrow(float[] values, DType dtype, MemorySegment target) {
    if (!dtype.isFloatingPoint()) {
      throw new IllegalArgumentException(dtype + " is no floating-point type");
    }
    if (target.byteSize() != dtype.byteSize(values.length)) {
      throw new IllegalArgumentException(
          values.length + " numbers of " + dtype + " do not fill " + target.byteSize() + " bytes");
    }
    for (int i = 0; i < values.length; i++) {
      switch (dtype) {
        case F32 -> target.set(FLOAT, (long) i * Float.BYTES, values[i]);
        case BF16 -> target.set(SHORT, (long) i * Short.BYTES, floatToBf16(values[i]));
        case F16 -> target.set(SHORT, (long) i * Short.BYTES, Float.floatToFloat16(values[i]));
        case F64 -> target.set(DOUBLE, (long) i * Double.BYTES, values[i]);
        case I64, I32, I16, I8, U8, BOOL, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K ->
            throw new IllegalArgumentException(dtype + " is no floating-point type");
      }
    }
  }
}
