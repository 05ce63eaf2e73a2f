package moxin.text.sentencepiece;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import moxin.text.TokenizerFormatException;

/// Reads the fields of one protobuf message, in the order of the wire. Every length is checked
/// against the bytes that are there.
final class ProtobufReader {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final String origin;
  private final byte[] bytes;
  private final int end;
  private int position;
  private int wireType;
  private int field;

  ProtobufReader(String origin, byte[] bytes) {
    this(origin, bytes, 0, bytes.length);
  }

  private ProtobufReader(String origin, byte[] bytes, int position, int end) {
    this.origin = origin;
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  /// Moves to the next field; its value must then be read or skipped.
  boolean next() {
    if (position == end) {
      return false;
    }
    long tag = rawVarint();
    wireType = (int) (tag & 7);
    long number = tag >>> 3;
    if (number < 1 || number >= 1 << 29) {
      throw bad("field number " + number);
    }
    field = (int) number;
    return true;
  }

  /// The number of the current field.
  int field() {
    return field;
  }

  int int32() {
    require(VARINT, "a number");
    return (int) rawVarint();
  }

  boolean bool() {
    require(VARINT, "a truth value");
    return rawVarint() != 0;
  }

  float float32() {
    require(FIXED32, "a float");
    return buffer(4).getFloat();
  }

  byte[] bytes() {
    require(LENGTH_DELIMITED, "bytes");
    int length = length();
    byte[] value = java.util.Arrays.copyOfRange(bytes, position, position + length);
    position += length;
    return value;
  }

  String string() {
    int start = position;
    byte[] value = bytes();
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
    } catch (CharacterCodingException e) {
      throw new TokenizerFormatException(
          origin + ": byte " + start + ": field " + field + " is not UTF-8", e);
    }
  }

  ProtobufReader message() {
    require(LENGTH_DELIMITED, "a message");
    int length = length();
    ProtobufReader inner = new ProtobufReader(origin, bytes, position, position + length);
    position += length;
    return inner;
  }

  void skip() {
    switch (wireType) {
      case VARINT -> rawVarint();
      case FIXED64 -> buffer(8);
      case LENGTH_DELIMITED -> {
        // The length has to be read before the position is advanced by it.
        int length = length();
        position += length;
      }
      case FIXED32 -> buffer(4);
      default -> throw bad("wire type " + wireType + " of field " + field);
    }
  }

  TokenizerFormatException bad(String what) {
    return new TokenizerFormatException(origin + ": byte " + position + ": " + what);
  }

  private void require(int expected, String what) {
    if (wireType != expected) {
      throw bad("field " + field + " has wire type " + wireType + ", expected " + what);
    }
  }

  private int length() {
    long length = rawVarint();
    if (length < 0 || length > end - position) {
      throw bad("a length of " + length + " with " + (end - position) + " bytes left");
    }
    return (int) length;
  }

  private ByteBuffer buffer(int size) {
    if (end - position < size) {
      throw bad("ends inside field " + field);
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes, position, size).order(ByteOrder.LITTLE_ENDIAN);
    position += size;
    return buffer;
  }

  private long rawVarint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position == end) {
        throw bad("ends inside a number");
      }
      byte b = bytes[position++];
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw bad("a number of more than ten bytes");
  }
}
