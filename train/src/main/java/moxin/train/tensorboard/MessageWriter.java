package moxin.train.tensorboard;

import java.io.ByteArrayOutputStream;

/// Writes the fields of a protobuf message.
final class MessageWriter {
  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int LENGTH = 2;
  static final int FIXED32 = 5;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  MessageWriter add(int field, double value) {
    key(field, FIXED64);
    fixed(Double.doubleToLongBits(value), Long.BYTES);
    return this;
  }

  MessageWriter add(int field, float value) {
    key(field, FIXED32);
    fixed(Float.floatToIntBits(value), Integer.BYTES);
    return this;
  }

  MessageWriter add(int field, long value) {
    key(field, VARINT);
    varint(value);
    return this;
  }

  MessageWriter add(int field, byte[] value) {
    key(field, LENGTH);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  byte[] toBytes() {
    return out.toByteArray();
  }

  private void key(int field, int type) {
    varint(((long) field << 3) | type);
  }

  private void fixed(long bits, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (bits >>> (8 * i)));
    }
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }
}
