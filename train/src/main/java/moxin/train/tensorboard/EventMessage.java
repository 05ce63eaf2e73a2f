package moxin.train.tensorboard;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalLong;

/// The message `Event` of TensorFlow's `event.proto` with what is used here of `Summary` and
/// `SessionLog`.
final class EventMessage {
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int SESSION_LOG = 7;

  private static final int SUMMARY_VALUE = 1;
  private static final int VALUE_TAG = 1;
  private static final int VALUE_SIMPLE = 2;
  private static final int SESSION_STATUS = 1;
  private static final int SESSION_START = 1;

  private EventMessage() {}

  /// The first event of every file.
  static byte[] version(double time) {
    return new MessageWriter()
        .add(WALL_TIME, time)
        .add(FILE_VERSION, utf8("brain.Event:2"))
        .toBytes();
  }

  /// Says that a session begins with `firstStep`: what was logged from there on is void.
  static byte[] sessionStart(double time, long firstStep) {
    byte[] session = new MessageWriter().add(SESSION_STATUS, SESSION_START).toBytes();
    return new MessageWriter()
        .add(WALL_TIME, time)
        .add(STEP, firstStep)
        .add(SESSION_LOG, session)
        .toBytes();
  }

  /// The values of a step.
  static byte[] scalars(double time, long step, Map<String, Double> values) {
    MessageWriter summary = new MessageWriter();
    values.forEach(
        (tag, value) ->
            summary.add(
                SUMMARY_VALUE,
                new MessageWriter()
                    .add(VALUE_TAG, utf8(tag))
                    .add(VALUE_SIMPLE, value.floatValue())
                    .toBytes()));
    return new MessageWriter()
        .add(WALL_TIME, time)
        .add(STEP, step)
        .add(SUMMARY, summary.toBytes())
        .toBytes();
  }

  /// The step of an event, 0 where it names none; empty if these bytes are no message.
  static OptionalLong stepOf(byte[] event) {
    ByteBuffer in = ByteBuffer.wrap(event).order(ByteOrder.LITTLE_ENDIAN);
    long step = 0;
    while (in.hasRemaining()) {
      OptionalLong key = varint(in);
      if (key.isEmpty()) {
        return OptionalLong.empty();
      }
      int type = (int) (key.getAsLong() & 7);
      OptionalLong value =
          switch (type) {
            case MessageWriter.VARINT, MessageWriter.LENGTH -> varint(in);
            case MessageWriter.FIXED64 -> OptionalLong.of(Long.BYTES);
            case MessageWriter.FIXED32 -> OptionalLong.of(Integer.BYTES);
            default -> OptionalLong.empty();
          };
      if (value.isEmpty()) {
        return OptionalLong.empty();
      }
      if (type != MessageWriter.VARINT) {
        if (value.getAsLong() < 0 || value.getAsLong() > in.remaining()) {
          return OptionalLong.empty();
        }
        in.position(in.position() + (int) value.getAsLong());
      } else if (key.getAsLong() >>> 3 == STEP) {
        step = value.getAsLong();
      }
    }
    return OptionalLong.of(step);
  }

  private static OptionalLong varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < 64 && in.hasRemaining(); shift += 7) {
      byte next = in.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return OptionalLong.of(value);
      }
    }
    return OptionalLong.empty();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
