package moxin.text.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads the primitives of a GGUF header one after the other; every length is held against what the
/// file has left before anything is allocated.
final class GgufReader {

  private static final int MAX_DEPTH = 4;
  private static final int SHOWN = 80;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String origin;
  private final MemorySegment file;
  private long position;

  /// @param file the whole file; only its first [GgufHeader#MAX_BYTES] are read
  GgufReader(String origin, MemorySegment file) {
    this.origin = origin;
    this.file = file.asSlice(0, Math.min(file.byteSize(), GgufHeader.MAX_BYTES));
  }

  long position() {
    return position;
  }

  int int32() {
    return file.get(INT, take(Integer.BYTES, "a number"));
  }

  long int64() {
    return file.get(LONG, take(Long.BYTES, "a number"));
  }

  /// A string that names something: it must be UTF-8, and has from one to `most` bytes.
  String name(String what, int most) {
    long at = position;
    byte[] bytes = bytes(what);
    if (bytes.length == 0 || bytes.length > most) {
      throw wrong(at, what + " of " + bytes.length + " bytes", "1 to " + most);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new GgufFormatException(origin + ": byte " + at + ": " + what + " is not UTF-8", e);
    }
  }

  /// A value of the type that stands in front of it.
  GgufValue value(String key) {
    return value(key, type(key));
  }

  private GgufValue value(String key, GgufType type) {
    return switch (type) {
      case UINT8 -> new GgufValue.Whole(type, Byte.toUnsignedLong(int8()));
      case INT8 -> new GgufValue.Whole(type, int8());
      case UINT16 -> new GgufValue.Whole(type, Short.toUnsignedLong(int16()));
      case INT16 -> new GgufValue.Whole(type, int16());
      case UINT32 -> new GgufValue.Whole(type, Integer.toUnsignedLong(int32()));
      case INT32 -> new GgufValue.Whole(type, int32());
      case UINT64, INT64 -> new GgufValue.Whole(type, int64());
      case FLOAT32 -> new GgufValue.Real(type, Float.intBitsToFloat(int32()));
      case FLOAT64 -> new GgufValue.Real(type, Double.longBitsToDouble(int64()));
      case BOOL -> new GgufValue.Flag(flag(key));
      case STRING -> new GgufValue.Text(string(key));
      case ARRAY -> array(key, 1);
    };
  }

  private GgufValue array(String key, int depth) {
    long at = position;
    GgufType type = type(key);
    long count = int64();
    long smallest =
        switch (type) {
          case STRING -> Long.BYTES;
          case ARRAY -> Integer.BYTES + Long.BYTES;
          case UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, UINT64, INT64, FLOAT64 ->
              type.byteSize();
        };
    if (count < 0 || count > remaining() / smallest || count > Integer.MAX_VALUE - 8) {
      throw wrong(
          at,
          shown(key) + ": an array of " + Long.toUnsignedString(count) + " elements",
          "at most " + remaining() / smallest + " from what is left");
    }
    return switch (type) {
      case STRING -> {
        List<String> texts = new ArrayList<>();
        for (long i = 0; i < count; i++) {
          texts.add(string(key));
        }
        yield new GgufValue.Texts(texts);
      }
      case ARRAY -> {
        if (depth == MAX_DEPTH) {
          throw wrong(at, shown(key) + ": arrays in arrays", "at most " + MAX_DEPTH + " levels");
        }
        List<GgufValue> lists = new ArrayList<>();
        for (long i = 0; i < count; i++) {
          lists.add(array(key, depth + 1));
        }
        yield new GgufValue.Lists(lists);
      }
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, UINT64, INT64, FLOAT64 ->
          new GgufValue.Numbers(type, take(count * type.byteSize()));
    };
  }

  private GgufType type(String key) {
    long at = position;
    int number = int32();
    return GgufType.ofNumber(number)
        .orElseThrow(() -> wrong(at, shown(key) + ": value type " + number, "0 to 12"));
  }

  private boolean flag(String key) {
    long at = position;
    byte value = int8();
    if (value != 0 && value != 1) {
      throw wrong(at, shown(key) + ": truth value " + value, "0 or 1");
    }
    return value == 1;
  }

  private String string(String what) {
    return new String(bytes(what), StandardCharsets.UTF_8);
  }

  private byte[] bytes(String what) {
    long at = position;
    long length = int64();
    if (length < 0 || length > remaining() || length > Integer.MAX_VALUE - 8) {
      throw wrong(
          at,
          shown(what) + ": a string of " + Long.toUnsignedString(length) + " bytes",
          "at most the " + remaining() + " that are left");
    }
    return take(length);
  }

  private byte[] take(long length) {
    return file.asSlice(take(length, "an array"), length).toArray(ValueLayout.JAVA_BYTE);
  }

  private byte int8() {
    return file.get(ValueLayout.JAVA_BYTE, take(Byte.BYTES, "a number"));
  }

  private short int16() {
    return file.get(SHORT, take(Short.BYTES, "a number"));
  }

  private long take(long bytes, String what) {
    long at = position;
    if (bytes > remaining()) {
      throw new GgufFormatException(
          origin
              + ": byte "
              + at
              + ": the header ends within "
              + what
              + (file.byteSize() == GgufHeader.MAX_BYTES
                  ? "; headers have at most " + GgufHeader.MAX_BYTES + " bytes"
                  : ""));
    }
    position = at + bytes;
    return at;
  }

  private long remaining() {
    return file.byteSize() - position;
  }

  GgufFormatException wrong(long at, String found, String expected) {
    return new GgufFormatException(
        origin + ": byte " + at + ": " + found + ", expected " + expected);
  }

  /// `text` from the file, short enough for a message.
  static String shown(String text) {
    return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
  }
}
