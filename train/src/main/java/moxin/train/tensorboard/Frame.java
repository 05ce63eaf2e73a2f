package moxin.train.tensorboard;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// The frame of a TFRecord: the length as 8 bytes, its masked CRC-32C, the data, their masked
/// CRC-32C, all little-endian (TensorFlow, `lib/io/record_writer.h`).
final class Frame {
  /// Bytes before the data.
  static final int HEADER = 12;

  /// Bytes after the data.
  static final int FOOTER = 4;

  private static final int MASK_DELTA = 0xa282ead8;

  private Frame() {}

  /// `data` in its frame, ready to be read.
  static ByteBuffer around(byte[] data) {
    ByteBuffer frame =
        ByteBuffer.allocate(HEADER + data.length + FOOTER).order(ByteOrder.LITTLE_ENDIAN);
    frame.putLong(data.length);
    frame.putInt(maskedChecksum(frame.array(), 0, Long.BYTES));
    frame.put(data);
    frame.putInt(maskedChecksum(data, 0, data.length));
    return frame.flip();
  }

  /// CRC-32C rotated and shifted, so that a checksum over data that holds checksums stays useful.
  static int maskedChecksum(byte[] bytes, int offset, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + MASK_DELTA;
  }
}
