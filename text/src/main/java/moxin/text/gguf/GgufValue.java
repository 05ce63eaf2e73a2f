package moxin.text.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// A value of GGUF metadata.
public sealed interface GgufValue {

  /// A string.
  record Text(String value) implements GgufValue {}

  /// A truth value.
  record Flag(boolean value) implements GgufValue {}

  /// A whole number.
  ///
  /// @param type one of the integer types
  /// @param value its value; a UINT64 from 2⁶³ up is negative here
  record Whole(GgufType type, long value) implements GgufValue {}

  /// A floating-point number.
  ///
  /// @param type FLOAT32 or FLOAT64
  record Real(GgufType type, double value) implements GgufValue {}

  /// An array of strings.
  record Texts(List<String> values) implements GgufValue {
    public Texts {
      values = List.copyOf(values);
    }
  }

  /// An array of arrays.
  record Lists(List<GgufValue> values) implements GgufValue {
    public Lists {
      values = List.copyOf(values);
    }
  }

  /// An array of numbers or truth values.
  ///
  /// @param data the elements as they stand in the file, little-endian
  record Numbers(GgufType elementType, byte[] data) implements GgufValue {

    public Numbers {
      if (elementType.byteSize() == 0 || data.length % elementType.byteSize() != 0) {
        throw new IllegalArgumentException(data.length + " bytes are no array of " + elementType);
      }
    }

    /// An array of INT32.
    public static Numbers of(int... values) {
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asIntBuffer().put(values);
      return new Numbers(GgufType.INT32, bytes.array());
    }

    /// An array of FLOAT32.
    public static Numbers of(float... values) {
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      return new Numbers(GgufType.FLOAT32, bytes.array());
    }

    /// The number of elements.
    public int size() {
      return data.length / elementType.byteSize();
    }

    /// Element `index` as a number, rounded to float64 where it is a large integer.
    public double real(int index) {
      return switch (elementType) {
        case FLOAT32 -> bytes().getFloat(index * Float.BYTES);
        case FLOAT64 -> bytes().getDouble(index * Double.BYTES);
        case UINT8, INT8, UINT16, INT16, UINT32, INT32, BOOL, UINT64, INT64 ->
            (double) whole(index);
        case STRING, ARRAY -> throw new IllegalStateException("no numbers");
      };
    }

    /// Element `index` as a whole number; a fraction is cut off.
    public long whole(int index) {
      return switch (elementType) {
        case UINT8, BOOL -> Byte.toUnsignedLong(data[index]);
        case INT8 -> data[index];
        case UINT16 -> Short.toUnsignedLong(bytes().getShort(index * Short.BYTES));
        case INT16 -> bytes().getShort(index * Short.BYTES);
        case UINT32 -> Integer.toUnsignedLong(bytes().getInt(index * Integer.BYTES));
        case INT32 -> bytes().getInt(index * Integer.BYTES);
        case UINT64, INT64 -> bytes().getLong(index * Long.BYTES);
        case FLOAT32, FLOAT64 -> (long) real(index);
        case STRING, ARRAY -> throw new IllegalStateException("no numbers");
      };
    }

    private ByteBuffer bytes() {
      return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /// A UINT32.
  static GgufValue of(int value) {
    return new Whole(GgufType.UINT32, Integer.toUnsignedLong(value));
  }

  /// A FLOAT32.
  static GgufValue of(float value) {
    return new Real(GgufType.FLOAT32, value);
  }

  /// A BOOL.
  static GgufValue of(boolean value) {
    return new Flag(value);
  }

  /// A STRING.
  static GgufValue of(String value) {
    return new Text(value);
  }

  /// What kind of value this is, for messages.
  default String kind() {
    return switch (this) {
      case Text _ -> "a string";
      case Flag _ -> "a truth value";
      case Whole _ -> "a whole number";
      case Real _ -> "a real number";
      case Texts _ -> "a list of strings";
      case Lists _ -> "a list of lists";
      case Numbers _ -> "a list of numbers";
    };
  }
}
